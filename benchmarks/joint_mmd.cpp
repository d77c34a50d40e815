// Joint MMD of features (n, 256) and softmax outputs (n, 31), with the kernels of JAN, beside the MMD of the features alone.
#include "support/google.hpp"
#include "support/raw_loops.hpp"

#include <dalib/dalib.hpp>

namespace {

using namespace dalib;
using namespace dalib::benchmarks;

constexpr Eigen::Index features = 256, classes = 31;

struct joint_samples {
  explicit joint_samples(const benchmark::State& state) : n(state.range(0)) {}
  Eigen::Index n;
  matrix<float> fs = draw<float>(n, features, {1}), ft = draw<float>(n, features, {2, 1, 0.25});
  matrix<float> ps = draw<float>(n, classes, {3, 0.2, 0}), pt = draw<float>(n, classes, {4, 0.2, 0.1});
};

void joint(benchmark::State& state) {
  const joint_samples data(state);
  const auto loss = joint_mmd{jan_kernels(), estimator::unbiased{}};
  matrix<float> gfs = data.fs, gft = data.ft, gps = data.ps, gpt = data.pt;
  const layer_gradients out{layers(gfs, gps), layers(gft, gpt)};
  workspace scratch;
  benchmarks::time(
      state, [&] { return loss.value_and_gradient(exec::openmp{}, layers(data.fs, data.ps), layers(data.ft, data.pt), out, scratch); },
      pairwise_flops(data.n, features + classes));
}

void features_alone(benchmark::State& state) {
  const joint_samples data(state);
  const auto loss = mmd{kernel::gaussian_ladder(0.125, 5), estimator::unbiased{}};
  matrix<float> gs = data.fs, gt = data.ft;
  workspace scratch;
  benchmarks::time(
      state,
      [&] {
        return loss.value_and_gradient(exec::openmp{}, data.fs, data.ft, gradients<float>{gs, gt}, scratch);
      },
      pairwise_flops(data.n, features));
}

void raw_joint(benchmark::State& state) {
  const joint_samples data(state);
  matrix<float> gf(2 * data.n, features), gp(2 * data.n, classes);
  benchmarks::time(
      state, [&] { return raw::joint_mmd(data.fs, data.ft, data.ps, data.pt, gf, gp); }, pairwise_flops(data.n, features + classes));
}

void sizes(benchmark::internal::Benchmark* one) {
  one->Arg(32)->Arg(128)->Arg(512)->Arg(2048)->ArgName("n")->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(joint)->Apply(sizes);
BENCHMARK(features_alone)->Apply(sizes);
BENCHMARK(raw_joint)->Arg(32)->Arg(128)->ArgName("n")->UseRealTime()->Unit(benchmark::kMicrosecond);

} // namespace

BENCHMARK_MAIN();
