// A Gaussian of fixed width three times: built in, as a user's struct, and as a lambda that gives only the value. All should be equally
// fast.
#include "support/google.hpp"

#include <dalib/dalib.hpp>

namespace {

using namespace dalib;
using namespace dalib::benchmarks;

constexpr double rate = 1.0 / 512;

struct own_gaussian {
  using statistic = squared_distance;
  template <class T>
  DALIB_HD jet<T> operator()(T s) const {
    using std::exp;
    const T value = exp(T(-rate) * s);
    return {value, T(-rate) * value};
  }
};

template <class Kernel>
void run(benchmark::State& state, const Kernel& kernel) {
  const Eigen::Index n = state.range(0), features = state.range(1);
  const auto loss = mmd{kernel, estimator::unbiased{}};
  const auto zs = draw<float>(n, features, {1}), zt = draw<float>(n, features, {2, 1, 0.25});
  matrix<float> gs = zs, gt = zt;
  workspace scratch;
  benchmarks::time(
      state,
      [&] {
        return loss.value_and_gradient(exec::openmp{}, zs, zt, gradients<float>{gs, gt}, scratch);
      },
      pairwise_flops(n, features));
}

void built_in(benchmark::State& state) { run(state, kernel::gaussian{bandwidth::fixed{std::sqrt(1 / (2 * rate))}}); }
void own_struct(benchmark::State& state) { run(state, own_gaussian{}); }
void lambda(benchmark::State& state) {
  run(state, kernel::from_value([](auto s) {
        using std::exp;
        return exp(static_cast<float>(-rate) * s);
      }));
}

void sizes(benchmark::internal::Benchmark* one) {
  one->Args({32, 256})->Args({512, 256})->Args({2048, 256})->Args({2048, 16});
  one->ArgNames({"n", "F"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(built_in)->Apply(sizes);
BENCHMARK(own_struct)->Apply(sizes);
BENCHMARK(lambda)->Apply(sizes);

} // namespace

BENCHMARK_MAIN();
