// Linear kernels from the domains' means, polynomial ones of rows far from 0, incomplete U statistics, and statistics that add up over the
// features, on device tensors beside the same on host tensors.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <doctest/doctest.h>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {
// A lambda with `auto` cannot go to a GPU.
struct inverse_of_ninth {
  template <class T>
  DALIB_HD T operator()(const T& s) const {
    return 1 / (1 + s / 9);
  }
};
} // namespace

TEST_CASE("device: kernels of inner products on rows far from 0") {
  const matrix<float> zs = normal_rows<float>(70, 9, 1, 1, 1000), zt = normal_rows<float>(52, 9, 2, 1.2, 1000.3);
  const device_matrix ds(zs), dt(zt);
  const auto each = [&](const auto& loss) {
    const auto expected = value_and_gradient(loss, zs, zt);
    matrix<float> own = matrix<float>::Ones(70, 9), other = matrix<float>::Ones(52, 9);
    device_matrix gs(own), gt(other);
    const float value = loss.value_and_gradient(exec::thrust{}, ds, dt, gradients{gs, gt, 2.f, write_mode::accumulate});
    CHECK(value == doctest::Approx(expected.value).epsilon(1e-6));
    CHECK((gs.to_host() - own - 2 * expected.source).norm() < 1e-6f * (own.norm() + expected.source.norm()));
    CHECK((gt.to_host() - other - 2 * expected.target).norm() < 1e-6f * (other.norm() + expected.target.norm()));
  };
  each(mmd{kernel::linear{}, estimator::biased{}});
  each(mmd{0.5 * kernel::linear{}, estimator::unbiased{}});
  each(mmd{kernel::linear{}, estimator::linear_time{}});
  each(mmd{kernel::linear{}, estimator::incomplete{60, 2}});
  each(mmd{kernel::gaussian{} + kernel::laplacian_l1{9}, estimator::incomplete{300, 1}});
  each(mmd{kernel::polynomial{1.0 / 9}, estimator::unbiased{}});
  const auto powers = kernel::from_value<power_distance<3, 2>>(inverse_of_ninth{});
  each(mmd{powers, estimator::unbiased{}});
  each(mmd{powers + kernel::gaussian{}, estimator::incomplete{60, 2}});
}
