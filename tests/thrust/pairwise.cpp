// Kernel measures on device tensors beside the same on host tensors, at sizes with several tiles and for data with close pairs.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <algorithm>
#include <doctest/doctest.h>
#include <limits>
#include <vector>
#if defined(_OPENMP)
#  include <omp.h>
#endif

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using conformance::relative_difference;

namespace {

/// Differences between a device's results and the host's.
struct differences {
  double value;
  double source;
  double target;
};

template <class Measure, class T>
differences against_host(const Measure& measure, const matrix<T>& zs, const matrix<T>& zt) {
  const device_matrix ds(zs), dt(zt);
  const auto expected = value_and_gradient(measure, zs, zt);
  const auto result = value_and_gradient(measure, ds, dt);
  CHECK(static_cast<double>(measure(ds, dt) - result.value) == doctest::Approx(0).epsilon(1e-6));
  return {static_cast<double>(result.value - expected.value), relative_difference(result.source.to_host(), expected.source),
          relative_difference(result.target.to_host(), expected.target)};
}

template <class T, class Measure>
void check_against_host(const Measure& measure, dalib::index_t source, dalib::index_t target, dalib::index_t features, double tolerance) {
  matrix<T> zs = normal_rows<T>(source, features, 1);
  const matrix<T> zt = normal_rows<T>(target, features, 2, 1.2, 0.4);
  zs.row(1) = zs.row(0); // a pair at distance 0
  zs.row(2) = zt.row(0); // and one of both domains that is close
  zs(2, 0) += static_cast<T>(1e-3);
  const differences found = against_host(measure, zs, zt);
  CHECK(std::abs(found.value) < tolerance);
  CHECK(found.source < tolerance);
  CHECK(found.target < tolerance);
}

} // namespace

TEST_CASE("device: one tile and several, kernels of all statistics, in double and float") {
  const auto all = kernel::laplacian{} + 0.3 * kernel::cosine{} + kernel::gaussian{} * kernel::polynomial{.gamma = 0.01};
  for (const dalib::index_t rows : {40, 500}) { // 740 rows are one tile, 1200 are two blocks of rows
    check_against_host<double>(mmd{all, estimator::unbiased{}}, rows, 700, 5, 1e-12);
    check_against_host<float>(mmd{all, estimator::biased{}}, rows, 700, 5, 1e-5);
  }
  check_against_host<double>(mmd{kernel::gaussian{} + kernel::laplacian_l1{3.0}, estimator::biased{}}, 700, 500, 3, 1e-12);
  check_against_host<float>(mmd{kernel::energy{}, estimator::unbiased{}}, 700, 500, 3, 1e-5);
}

TEST_CASE("device: one feature, where many pairs are close") {
  check_against_host<float>(mmd{kernel::laplacian{}, estimator::unbiased{}}, 300, 200, 1, 1e-5);
}

TEST_CASE("device: layers, quadruples, blocks, weighted terms") {
  const matrix<double> a = normal_rows<double>(60, 4, 1), b = normal_rows<double>(50, 4, 2, 1, 0.5);
  const matrix<double> c = normal_rows<double>(60, 3, 3), d = normal_rows<double>(50, 3, 4, 1, 0.5);
  const device_matrix da(a), db(b), dc(c), dd(d);
  const auto expected = value_and_gradient(joint_mmd{}, layers(a, c), layers(b, d));
  const auto result = value_and_gradient(joint_mmd{}, layers(da, dc), layers(db, dd));
  CHECK(result.value == doctest::Approx(expected.value).epsilon(1e-12));
  CHECK(relative_difference(std::get<0>(result.source).to_host(), std::get<0>(expected.source)) < 1e-12);
  CHECK(relative_difference(std::get<1>(result.target).to_host(), std::get<1>(expected.target)) < 1e-12);

  const auto k = kernel::gaussian_ladder{} + kernel::cosine{} + kernel::laplacian_l1{2.0};
  check_against_host<double>(mmd{k, estimator::linear_time{}}, 61, 50, 4, 1e-12);
  check_against_host<double>(mmd{k, compat::ring{}}, 51, 51, 4, 1e-12);
  check_against_host<double>(mmd{k, estimator::block{7}}, 61, 50, 4, 1e-12);
  check_against_host<double>(weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, 61, 50, 4, 1e-12);
}

TEST_CASE("device: a kept workspace, one gradient alone, scale and accumulation, overwritten NaN") {
  const matrix<double> zs = normal_rows<double>(30, 4, 1), zt = normal_rows<double>(20, 4, 2);
  const device_matrix ds(zs), dt(zt);
  const mmd measure{kernel::gaussian{}, estimator::unbiased{}};
  const auto expected = value_and_gradient(measure, zs, zt);
  matrix<double> unwritten = zs;
  unwritten.setConstant(std::numeric_limits<double>::quiet_NaN());
  device_matrix gs(unwritten);
  const matrix_view<double, device_memory> unwanted;
  device_workspace scratch;
  const double value = measure.value_and_gradient(exec::thrust{}, ds, dt, gradients{gs, unwanted, -2.0}, scratch);
  CHECK(value == doctest::Approx(expected.value).epsilon(1e-13));
  CHECK(relative_difference(gs.to_host(), expected.source * -2) < 1e-12);
  measure.value_and_gradient(exec::thrust{}, ds, dt, gradients{gs, unwanted, 3.0, write_mode::accumulate}, scratch);
  CHECK(relative_difference(gs.to_host(), expected.source) < 1e-12);
  const std::size_t held = scratch.capacity();
  measure.value_and_gradient(exec::thrust{}, ds, dt, gradients{gs, unwanted}, scratch);
  CHECK(scratch.capacity() == held);
}

TEST_CASE("device: sample weights are numbers of copies") {
  const matrix<double> zs = normal_rows<double>(7, 3, 1), zt = normal_rows<double>(5, 3, 2);
  const std::vector<double> ws = {1, 2, 0, 3, 1, 1, 2}, wt = {2, 1, 1, 4, 0};
  const device_matrix ds(zs), dt(zt);
  const ::thrust::device_vector<double> dws(ws.begin(), ws.end()), dwt(wt.begin(), wt.end());
  const mmd measure{kernel::gaussian{bandwidth::median{}}, estimator::unbiased{}};
  CHECK(measure(weighted(ds, dws), weighted(dt, dwt)) == doctest::Approx(measure(weighted(zs, ws), weighted(zt, wt))).epsilon(1e-13));
  CHECK_THROWS_AS(weighted(ds, dwt), std::invalid_argument);
}

#if defined(_OPENMP) && THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_OMP
TEST_CASE("device: the same bits for any number of threads") {
  const matrix<float> zs = normal_rows<float>(700, 20, 1), zt = normal_rows<float>(600, 20, 2, 1, 0.2);
  const device_matrix ds(zs), dt(zt);
  const int before = omp_get_max_threads();
  const auto run = [&](int threads) {
    omp_set_num_threads(threads);
    return value_and_gradient(mmd{}, ds, dt);
  };
  const auto one = run(1);
  for (const int threads : {2, 3, 8}) {
    const auto other = run(threads);
    CHECK(other.value == one.value);
    CHECK(bool(other.source.to_host() == one.source.to_host()));
    CHECK(bool(other.target.to_host() == one.target.to_host()));
  }
  omp_set_num_threads(before);
}
#endif
