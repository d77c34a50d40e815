// Row-wise measures, maps and tensors in device memory beside the same on the host.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <doctest/doctest.h>
#include <stdexcept>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using conformance::relative_difference;

namespace {

/// Scores, logits and room for gradients, on the host and on the device.
template <class T>
struct setting {
  matrix<T> a = normal_rows<T>(37, 5, 1, 3), b = normal_rows<T>(37, 5, 2, 3), l = a.leftCols(1), k = b.leftCols(1);
  matrix<T> ga = a, gb = b, gl = l, gk = k;
  device_matrix<T> da{a}, db{b}, dl{l}, dk{k}, dga{a}, dgb{b}, dgl{l}, dgk{k};
};

template <class T>
void check_equal(T value, T expected, const device_matrix<T>& gradient, const matrix<T>& expected_gradient) {
  const double tolerance = 1e3 * static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(static_cast<double>(value) == doctest::Approx(static_cast<double>(expected)).epsilon(tolerance));
  CHECK(relative_difference(gradient.to_host(), expected_gradient) < tolerance);
}

template <class T>
void check_measures() {
  setting<T> s;
  T expected = classifier_discrepancy{}.value_and_gradient(s.a, s.b, gradients{s.ga, s.gb});
  check_equal(classifier_discrepancy{}.value_and_gradient(s.da, s.db, gradients{s.dga, s.dgb}), expected, s.dgb, s.gb);
  expected = class_balance{}.value_and_gradient(s.a, gradient{s.ga, T(2), write_mode::accumulate});
  check_equal(class_balance{}.value_and_gradient(s.da, gradient{s.dga, T(2), write_mode::accumulate}), expected, s.dga, s.ga);
  expected = margin_disparity{}.value_and_gradient(s.a, s.b, s.b, s.a, gradients{s.ga, s.gb});
  check_equal(margin_disparity{}.value_and_gradient(s.da, s.db, s.db, s.da, gradients{s.dga, s.dgb}), expected, s.dga, s.ga);
  expected = domain_adversarial<>{}.value_and_gradient(s.l, s.k, gradients{s.gl, s.gk});
  check_equal(domain_adversarial<>{}.value_and_gradient(s.dl, s.dk, gradients{s.dgl, s.dgk}), expected, s.dgk, s.gk);
  const conditional_domain_adversarial cdan{conditioning::per_domain_entropy{}};
  expected = cdan.value_and_gradient(s.l, s.k, s.a, s.b, gradients{s.gl, s.gk}, gradients{s.ga, s.gb});
  const T value = cdan.value_and_gradient(s.dl, s.dk, s.da, s.db, gradients{s.dgl, s.dgk}, gradients{s.dga, s.dgb});
  check_equal(value, expected, s.dgl, s.gl);
  check_equal(value, expected, s.dgb, s.gb);

  const auto single = domain_adversarial<reduction::none>{}(s.dl, s.dk);
  REQUIRE(single.size() == 74);
  CHECK(single[40] == doctest::Approx(domain_adversarial<reduction::none>{}(s.l, s.k)[40]));
  CHECK(domain_accuracy(s.dl, s.dk) == domain_accuracy(s.l, s.k));
  CHECK(pooled_domain_accuracy(s.dl, s.dk) == pooled_domain_accuracy(s.l, s.k));
}

template <class T, class HostMap, class DeviceMap>
void check_map(const HostMap& host_map, const DeviceMap& device_map) {
  setting<T> s;
  const exec::serial serial;
  const exec::thrust device;
  matrix<T> h(37, host_map.columns(5, 5));
  device_matrix dh(h);
  host_map(serial, s.a, s.b, h);
  device_map(device, s.da, s.db, dh);
  check_equal(T(0), T(0), dh, h);
  host_map.pull(serial, s.a, s.b, h, gradients{s.ga, s.gb, T(-0.5)});
  device_map.pull(device, s.da, s.db, dh, gradients{s.dga, s.dgb, T(-0.5)});
  check_equal(T(0), T(0), s.dga, s.ga);
  check_equal(T(0), T(0), s.dgb, s.gb);
}

} // namespace

TEST_CASE("device: row-wise measures") {
  check_measures<double>();
  check_measures<float>();
}

TEST_CASE("device: CDAN's maps") {
  check_map<double>(multilinear_map{}, multilinear_map{});
  const randomised_multilinear_map<float> host(5, 5, 12, 3);
  const randomised_multilinear_map<float, device_memory> device(5, 5, 12, 3);
  check_map<float>(host, device); // drawn from the same seed ...
  const randomised_multilinear_map<float> other(5, 5, 12, 4);
  randomised_multilinear_map<float, device_memory> copied(other);
  check_map<float>(other, copied); // ... or copied, there and back
  copied.visit_state([](const char*, const std::vector<dalib::index_t>&, std::span<float> values) {
    for (float& number : values) number *= 2;
  });
  check_map<float>(randomised_multilinear_map<float>(copied), copied);
}

TEST_CASE("device: matrices are copied with any strides; other shapes are refused") {
  const matrix<float> rows = normal_rows<float>(4, 3, 1);
  const Eigen::MatrixXf columns = rows;
  CHECK(device_matrix(columns).to_host() == rows);
  device_matrix<float> storage(10, 10);
  const matrix_view<float, device_memory> part(storage.data() + 11, 4, 3, 20, 2);
  copy_to_device(exec::thrust{}, columns, part);
  Eigen::MatrixXf back(4, 3);
  copy_to_host(exec::thrust{}, part, back);
  CHECK(back == columns);
  CHECK(storage.to_host().sum() == doctest::Approx(rows.sum())); // the rest is still 0
  CHECK(matrix_traits<device_matrix<float>>::like(storage).rows() == 10);
  Eigen::MatrixXf other(3, 4);
  CHECK_THROWS_AS(copy_to_host(exec::thrust{}, part, other), std::invalid_argument);
  CHECK_THROWS_AS(copy_to_device(exec::thrust{}, other, storage), std::invalid_argument);
}

TEST_CASE("device: NaN is found by `checked`, with its place") {
  matrix<double> zs = normal_rows<double>(6, 3, 1);
  const device_matrix zt(normal_rows<double>(5, 3, 2));
  zs(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(checked{mmd{}}(device_matrix(zs), zt), doctest::Contains("row 4, column 1"));
}
