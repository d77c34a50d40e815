#pragma once

#include "peak.hpp"

#include <benchmark/benchmark.h>

namespace dalib::benchmarks {

/// Runs `work` in the benchmark's loop; with `flops` also reports the rate of floating-point operations.
template <class Work>
void time(benchmark::State& state, const Work& work, double flops = 0) {
  for (auto _ : state) {
    auto result = work();
    benchmark::DoNotOptimize(result);
    benchmark::ClobberMemory();
  }
  if (flops > 0) state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

/// Floating-point operations of value and gradient of a full-pair measure with n samples per domain: three products of (2n)^2 F, the pairs
/// being symmetric.
inline double pairwise_flops(Eigen::Index n, Eigen::Index features) {
  const auto rows = static_cast<double>(2 * n);
  return 3 * rows * rows * static_cast<double>(features);
}

/// The yardstick: the flops counter of a product, by `Product` of peak.hpp.
template <class Product>
void peak(benchmark::State& state) {
  Product product;
  time(
      state, [&] { return product.run(), 0; }, product.flops());
}

} // namespace dalib::benchmarks
