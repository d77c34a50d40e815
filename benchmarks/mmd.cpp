// MMD with five Gaussians by the mean rule, unbiased: the library against plain loops and against the machine's matrix products.
#include "support/google.hpp"
#include "support/raw_loops.hpp"

#include <dalib/dalib.hpp>

namespace {

using namespace dalib;
using namespace dalib::benchmarks;

const auto loss = mmd{kernel::gaussian_ladder(0.125, 5), estimator::unbiased{}};

template <class T>
struct samples {
  explicit samples(const benchmark::State& state)
      : n(state.range(0)), features(state.range(1)), zs(draw<T>(n, features, {1})), zt(draw<T>(n, features, {2, 1, 0.25})) {}
  Eigen::Index n, features;
  matrix<T> zs, zt;
};

template <class T>
void value_and_gradient(benchmark::State& state) {
  const samples<T> data(state);
  matrix<T> gs(data.n, data.features), gt(data.n, data.features);
  workspace scratch;
  const auto run = [&] { return loss.value_and_gradient(exec::openmp{}, data.zs, data.zt, gradients<T>{gs, gt}, scratch); };
  benchmarks::time(state, run, pairwise_flops(data.n, data.features));
}

template <class T>
void value_only(benchmark::State& state) {
  const samples<T> data(state);
  workspace scratch;
  benchmarks::time(
      state, [&] { return loss(exec::openmp{}, data.zs, data.zt, scratch); }, pairwise_flops(data.n, data.features) / 3);
}

template <class T>
void raw_value_and_gradient(benchmark::State& state) {
  const samples<T> data(state);
  matrix<T> g(2 * data.n, data.features);
  benchmarks::time(
      state, [&] { return raw::mmd(data.zs, data.zt, &g); }, pairwise_flops(data.n, data.features));
}

void sizes(benchmark::internal::Benchmark* one) {
  for (const auto& [n, features] : {std::pair{32, 256}, {36, 1024}, {128, 256}, {512, 256}, {512, 2048}, {2048, 256}})
    one->Args({n, features});
  one->ArgNames({"n", "F"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}
void small_sizes(benchmark::internal::Benchmark* one) {
  one->Args({32, 256})->Args({36, 1024})->Args({128, 256})->Args({512, 256});
  one->ArgNames({"n", "F"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(peak<eigen_product<float>>)->UseRealTime();
BENCHMARK(peak<cached_product<float>>)->UseRealTime();
BENCHMARK(value_and_gradient<float>)->Apply(sizes);
BENCHMARK(value_only<float>)->Apply(sizes);
BENCHMARK(raw_value_and_gradient<float>)->Apply(small_sizes);
BENCHMARK(peak<eigen_product<double>>)->UseRealTime();
BENCHMARK(peak<cached_product<double>>)->UseRealTime();
BENCHMARK(value_and_gradient<double>)->Apply(sizes);

} // namespace

BENCHMARK_MAIN();
