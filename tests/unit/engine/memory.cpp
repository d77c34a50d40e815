// Workspaces, and tensors whose memory is not contiguous.
#include "conformance/samples.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <utility>

using namespace dalib;
using conformance::normal_rows;

namespace {

/// The capacity of a kept workspace after one call, and after more calls with the same shapes.
template <class Measure>
std::pair<std::size_t, std::size_t> capacities(const Measure& measure, dalib::index_t n, dalib::index_t m) {
  const auto zs = normal_rows<float>(n, 12, 1), zt = normal_rows<float>(m, 12, 2);
  auto gs = zs, gt = zt;
  workspace scratch;
  const float first = measure.value_and_gradient(exec::default_policy{}, zs, zt, gradients{gs, gt}, scratch);
  measure.value_and_gradient(exec::default_policy{}, zs, zt, gradients{gs, gt}, scratch);
  const std::size_t after_two = scratch.capacity();
  for (int i = 0; i < 3; ++i) CHECK(measure.value_and_gradient(exec::default_policy{}, zs, zt, gradients{gs, gt}, scratch) == first);
  CHECK(measure(exec::default_policy{}, zs, zt, scratch) == doctest::Approx(first).epsilon(1e-6));
  return {after_two, scratch.capacity()};
}

} // namespace

TEST_CASE("a kept workspace does not grow between calls of the same shapes, and gives the same numbers") {
  const std::pair<int, int> sizes[] = {{5, 3}, {100, 90}, {300, 200}};
  for (const auto& size : sizes) {
    const auto full = capacities(mmd{kernel::gaussian{}, estimator::unbiased{}}, size.first, size.second);
    CHECK(full.first == full.second);
    const auto quadruples = capacities(mmd{kernel::gaussian{}, estimator::linear_time{}}, size.first, size.second);
    CHECK(quadruples.first == quadruples.second);
  }
  const auto blocks = capacities(mmd{kernel::gaussian{}, estimator::block{20}}, 300, 200);
  CHECK(blocks.first == blocks.second);
}

TEST_CASE("memory does not grow with the square of the rows") {
  const mmd measure{kernel::gaussian{}, estimator::unbiased{}};
  const auto held = [&](dalib::index_t rows) {
    const auto zs = normal_rows<float>(rows, 4, 1), zt = normal_rows<float>(rows, 4, 2);
    auto gs = zs, gt = zt;
    workspace scratch;
    measure.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt}, scratch);
    return scratch.capacity();
  };
  // Half of the joint kernel matrix would be 18 MB and then 72 MB.
  CHECK(held(1500) < (std::size_t{2} << 20));
  CHECK(held(3000) < (std::size_t{4} << 20));
}

TEST_CASE("a workspace serves another shape after a call that was refused") {
  const auto zs = normal_rows<double>(6, 3, 1), wide = normal_rows<double>(6, 4, 1);
  const mmd<> measure;
  workspace scratch;
  CHECK_THROWS(measure(exec::serial{}, zs, wide, scratch));
  CHECK(measure(exec::serial{}, wide, wide, scratch) == doctest::Approx(measure(exec::serial{}, wide, wide)));
}

TEST_CASE("a pair of weight 0 adds nothing, even where its kernel overflows") {
  // |x|^2 = 1.6e5: the diagonal (gram + 1)^8 overflows in float, the pairs across do not.
  conformance::matrix<float> zs(2, 2), zt(2, 2);
  zs << 400, 0, 0, 1;
  zt << 0.5f, 0, 0, 2;
  const mmd measure{kernel::polynomial{.gamma = 1, .coef0 = 1, .degree = 8}, estimator::unbiased{}};
  const auto result = value_and_gradient(measure, zs, zt);
  CHECK(std::isfinite(result.value));
  CHECK(result.source.allFinite());
  CHECK(result.target.allFinite());
  const std::vector<float> weights = {0, 1};
  const mmd biased{kernel::polynomial{.gamma = 1, .coef0 = 1, .degree = 8}, estimator::biased{}};
  const auto ignored = value_and_gradient(biased, weighted(zs, weights), zt);
  CHECK(std::isfinite(ignored.value));
  CHECK(ignored.source.row(0).isZero(0));
  CHECK_FALSE(std::isfinite(biased(zs, zt)));
}
