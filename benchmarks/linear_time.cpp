// The linear-time estimator on 10^6 samples (half of them source) of 256 features, beside a copy of the same memory and plain loops.
#include "support/google.hpp"
#include "support/raw_loops.hpp"

#include <dalib/dalib.hpp>

namespace {

using namespace dalib;
using namespace dalib::benchmarks;

constexpr Eigen::Index features = 256;
const auto loss = mmd{kernel::gaussian_ladder(0.125, 5), estimator::linear_time{}};

struct large_samples {
  explicit large_samples(const benchmark::State& state) : n(state.range(0) / 2) {}
  Eigen::Index n;
  matrix<float> zs = draw<float>(n, features, {1}), zt = draw<float>(n, features, {2, 1, 0.25});
};

/// Bytes read, so that the rates of all of them compare.
void report(benchmark::State& state, const large_samples& data) {
  state.SetBytesProcessed(state.iterations() * 2 * data.zs.size() * static_cast<std::int64_t>(sizeof(float)));
}

void value_and_gradient(benchmark::State& state) {
  const large_samples data(state);
  matrix<float> gs = data.zs, gt = data.zt;
  workspace scratch;
  benchmarks::time(state, [&] { return loss.value_and_gradient(exec::openmp{}, data.zs, data.zt, gradients<float>{gs, gt}, scratch); });
  report(state, data);
}

void value_only(benchmark::State& state) {
  const large_samples data(state);
  workspace scratch;
  benchmarks::time(state, [&] { return loss(exec::openmp{}, data.zs, data.zt, scratch); });
  report(state, data);
}

void memory_copy(benchmark::State& state) {
  const large_samples data(state);
  matrix<float> to_s = data.zs, to_t = data.zt;
  benchmarks::time(state, [&] {
    copy_in_parallel(data.zs, to_s);
    copy_in_parallel(data.zt, to_t);
    return to_t.data();
  });
  report(state, data);
}

/// The mean distance is given: two passes over the data less than the library makes.
void raw_value_and_gradient(benchmark::State& state) {
  const large_samples data(state);
  matrix<float> gs = data.zs, gt = data.zt;
  benchmarks::time(state, [&] { return raw::linear_time(data.zs, data.zt, 2.f * features, gs, gt); });
  report(state, data);
}

void sizes(benchmark::internal::Benchmark* one) { one->Arg(10'000)->Arg(1'000'000)->UseRealTime()->Unit(benchmark::kMillisecond); }

BENCHMARK(memory_copy)->Apply(sizes);
BENCHMARK(value_and_gradient)->Apply(sizes);
BENCHMARK(value_only)->Apply(sizes);
BENCHMARK(raw_value_and_gradient)->Apply(sizes);

} // namespace

BENCHMARK_MAIN();
