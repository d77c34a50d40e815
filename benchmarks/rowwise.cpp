// The losses of logits and CDAN's multilinear map, forward and backward, beside plain loops.
#include "support/google.hpp"
#include "support/raw_loops.hpp"

#include <dalib/dalib.hpp>

namespace {

using namespace dalib;
using namespace dalib::benchmarks;

constexpr Eigen::Index features = 256;

matrix<float> logits(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) { return draw<float>(rows, columns, {seed, 2, 0}); }

void adversarial(benchmark::State& state, bool plain) {
  const auto ls = logits(state.range(0), 1, 1), lt = logits(state.range(0), 1, 2);
  matrix<float> gs = ls, gt = lt;
  const domain_adversarial<> loss;
  if (plain)
    benchmarks::time(state, [&] { return raw::domain_adversarial(ls, lt, gs, gt); });
  else
    benchmarks::time(state, [&] { return loss.value_and_gradient(exec::openmp{}, ls, lt, gradients<float>{gs, gt}); });
}

void margin(benchmark::State& state, bool plain) {
  const Eigen::Index n = state.range(0), classes = state.range(1);
  const auto ys = logits(n, classes, 1), as = logits(n, classes, 2), yt = logits(n, classes, 3), at = logits(n, classes, 4);
  matrix<float> gs = as, gt = at;
  const margin_disparity loss{4};
  if (plain)
    benchmarks::time(state, [&] { return raw::margin_disparity(ys, as, yt, at, gs, gt); });
  else
    benchmarks::time(state, [&] { return loss.value_and_gradient(exec::openmp{}, ys, as, yt, at, gradients<float>{gs, gt}); });
}

void discrepancy(benchmark::State& state, bool plain) {
  const auto first = logits(state.range(0), state.range(1), 1), second = logits(state.range(0), state.range(1), 2);
  matrix<float> g1 = first, g2 = second;
  const classifier_discrepancy loss;
  if (plain)
    benchmarks::time(state, [&] { return raw::classifier_discrepancy(first, second, g1, g2); });
  else
    benchmarks::time(state, [&] { return loss.value_and_gradient(exec::openmp{}, first, second, gradients<float>{g1, g2}); });
}

void conditioned(benchmark::State& state, bool plain) {
  const Eigen::Index n = state.range(0), classes = state.range(1);
  const auto f = draw<float>(n, features, {1}), g = logits(n, classes, 2), upstream = draw<float>(n, features * classes, {3});
  matrix<float> h = upstream, gf = f, gg = g;
  const multilinear_map map;
  benchmarks::time(state, [&] {
    if (plain) {
      raw::multilinear_map(f, g, upstream, h, gf, gg);
    } else {
      map(exec::openmp{}, f, g, h);
      map.pull(exec::openmp{}, f, g, upstream, gradients<float>{gf, gg});
    }
    return h.data();
  });
}

void batches(benchmark::internal::Benchmark* one) {
  one->Arg(36)->Arg(512)->Arg(8192)->ArgName("n")->UseRealTime()->Unit(benchmark::kMicrosecond);
}
void batches_and_classes(benchmark::internal::Benchmark* one) {
  one->ArgsProduct({{36, 512, 8192}, {31, 345}})->ArgNames({"n", "C"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}
void batches_of_31(benchmark::internal::Benchmark* one) {
  one->ArgsProduct({{36, 512, 8192}, {31}})->ArgNames({"n", "C"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(adversarial, fused, false)->Apply(batches);
BENCHMARK_CAPTURE(adversarial, raw, true)->Apply(batches);
BENCHMARK_CAPTURE(margin, fused, false)->Apply(batches_and_classes);
BENCHMARK_CAPTURE(margin, raw, true)->Apply(batches_and_classes);
BENCHMARK_CAPTURE(discrepancy, fused, false)->Apply(batches_and_classes);
BENCHMARK_CAPTURE(discrepancy, raw, true)->Apply(batches_and_classes);
BENCHMARK_CAPTURE(conditioned, fused, false)->Apply(batches_of_31);
BENCHMARK_CAPTURE(conditioned, raw, true)->Apply(batches_of_31);

} // namespace

BENCHMARK_MAIN();
