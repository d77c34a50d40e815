// Data that are not noise: clusters, domains far apart, outliers, duplicates, rows that are nearly equal. The promised accuracy holds, and
// the bits are the same for any number of threads, although such rows are measured from centres of their own or pair by pair.
#include "support/accuracy.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace dalib;
using support::gradient_bound;
using support::radial;
using support::two_samples;

namespace {

template <class T>
using make_rows = std::function<two_samples<T>(dalib::index_t, dalib::index_t)>;

template <class T>
struct shape {
  std::string name;
  make_rows<T> rows;
};

constexpr dalib::index_t features = 24;

template <class T>
two_samples<T> noise(dalib::index_t n, dalib::index_t m) {
  return {conformance::normal_rows<T>(n, features, 11), conformance::normal_rows<T>(m, features, 12, 1.2, 0.2)};
}

/// Rows around `count` places, in no order; the clusters of the target are a little aside.
template <class T>
make_rows<T> clusters(dalib::index_t count, double spread) {
  return [=](dalib::index_t n, dalib::index_t m) {
    two_samples<T> data = noise<T>(n, m);
    const auto places = conformance::normal_rows<T>(count, features, 13);
    conformance::normal_numbers next(14);
    for (auto* rows : {&data.source, &data.target})
      for (dalib::index_t i = 0; i < rows->rows(); ++i) {
        const auto place = static_cast<dalib::index_t>(next.uniform() * static_cast<double>(count));
        rows->row(i) = places.row(place) + static_cast<T>(spread) * rows->row(i);
      }
    return data;
  };
}

template <class T>
std::vector<shape<T>> shapes() {
  return {{"ten clusters", clusters<T>(10, 0.03)},
          {"ten tight clusters", clusters<T>(10, 1e-3)},
          {"two tight clusters", clusters<T>(2, 1e-3)},
          {"fifty clusters", clusters<T>(50, 0.01)},
          {"clusters at 1e3",
           [](dalib::index_t n, dalib::index_t m) {
             auto data = clusters<T>(6, 0.05)(n, m);
             data.source.array() += T(1000);
             data.target.array() += T(1000);
             return data;
           }},
          {"domains apart",
           [](dalib::index_t n, dalib::index_t m) {
             auto data = noise<T>(n, m);
             data.target.array() += T(40);
             return data;
           }},
          {"domains far apart, one of them narrow",
           [](dalib::index_t n, dalib::index_t m) {
             auto data = noise<T>(n, m);
             data.target.array() = data.target.array() / T(8) + T(1000);
             return data;
           }},
          {"all nearly equal but one",
           [](dalib::index_t n, dalib::index_t m) {
             auto data = noise<T>(n, m);
             data.source.array() = data.source.array() / T(4096) + T(1);
             data.target.array() = data.target.array() / T(4096) + T(1);
             data.target.row(m / 2).setConstant(T(3));
             return data;
           }},
          {"many equal rows", [](dalib::index_t n, dalib::index_t m) {
             auto data = noise<T>(n, m);
             for (dalib::index_t i = 0; i < n; ++i) data.source.row(i) = data.source.row(i % 7).eval();
             for (dalib::index_t i = 0; i < m; i += 2) data.target.row(i) = data.source.row(i % 3);
             return data;
           }}};
}

template <class Exec, class Loss, class T>
auto with_gradients(const Exec& exec, const Loss& loss, const two_samples<T>& data) {
  two_samples<T> result{conformance::matrix<T>(data.source.rows(), features), conformance::matrix<T>(data.target.rows(), features)};
  const T value = loss.value_and_gradient(exec, data.source, data.target, gradients{result.source, result.target});
  return value_with_gradients<T, conformance::matrix<T>, conformance::matrix<T>>{value, result.source, result.target};
}

/// An outlier's own pulls are as large as all others: what the other rows get is looked at.
template <class T>
two_samples<T> with_outliers(dalib::index_t n, dalib::index_t m) {
  auto data = noise<T>(n, m);
  data.source.row(n / 3) *= T(1e4);
  data.target.row(m / 2) *= T(3e3);
  return data;
}

template <class T>
void check_shapes(dalib::index_t n, dalib::index_t m) {
  const auto narrow = radial(kernel::gaussian{bandwidth::fixed{0.5}}, [](oracle::complex s) { return std::exp(-s * 2.0L); });
  const auto wide = radial(kernel::gaussian{bandwidth::fixed{8}}, [](oracle::complex s) { return std::exp(-s / 128.0L); });
  const auto laplacian =
      radial(kernel::laplacian{bandwidth::fixed{0.5}}, [](oracle::complex s) { return std::exp(-std::sqrt(s) * 2.0L); });
  const auto energy = radial(kernel::energy{}, [](oracle::complex s) { return -std::sqrt(s); });
  for (const shape<T>& one : shapes<T>()) {
    CAPTURE(one.name);
    CAPTURE(n);
    const two_samples<T> data = one.rows(n, m);
    // Elsewhere so narrow a kernel is 0 for nearly all pairs.
    if (one.name.find("clusters") != std::string::npos) CHECK(support::gradient_error<T>(narrow, data) < gradient_bound<T>);
    CHECK(support::gradient_error<T>(wide, data) < gradient_bound<T>);
    CHECK(support::gradient_error<T>(laplacian, data) < gradient_bound<T>);
    CHECK(support::gradient_error<T>(energy, data) < gradient_bound<T>);
  }
  CHECK(support::gradient_error<T>(wide, with_outliers<T>(n, m)) < gradient_bound<T>);
  CHECK(support::gradient_error<T>(energy, with_outliers<T>(n, m)) < gradient_bound<T>);
}

} // namespace

TEST_CASE_TEMPLATE("hard data keep the promised accuracy", T, float, double) {
  check_shapes<T>(17, 15);
  check_shapes<T>(64, 49);
  check_shapes<T>(150, 101);
}

TEST_CASE_TEMPLATE("hard data of many blocks keep the promised accuracy", T, float, double) {
  const auto energy = radial(kernel::energy{}, [](oracle::complex s) { return -std::sqrt(s); });
  for (const shape<T>& one : shapes<T>()) {
    CAPTURE(one.name);
    CHECK(support::gradient_error<T>(energy, one.rows(211, 190)) < gradient_bound<T>);
  }
}

TEST_CASE_TEMPLATE("hard data have the same bits for any number of threads", T, float, double) {
  const mmd loss{kernel::gaussian_ladder{}, estimator::unbiased{}};
  for (const shape<T>& one : shapes<T>())
    for (const dalib::index_t n : {30, 150, 230}) {
      CAPTURE(one.name);
      CAPTURE(n);
      const two_samples<T> data = one.rows(n, n - 9);
      const auto serial = with_gradients(exec::serial{}, loss, data);
      for (const int threads : {1, 2, 3}) {
        const auto other = with_gradients(exec::openmp{threads}, loss, data);
        CHECK(other.value == serial.value);
        CHECK(other.source == serial.source);
        CHECK(other.target == serial.target);
      }
    }
}

// What close pairs pull is summed before it meets what is there: the caller's numbers are rounded a few times and not once for each pair.
TEST_CASE("hard data: gradients that are added to larger ones lose a few roundings of these") {
  const mmd loss{kernel::gaussian_ladder{}, estimator::unbiased{}};
  for (const shape<float>& one : shapes<float>()) {
    CAPTURE(one.name);
    const two_samples<float> data = one.rows(90, 80);
    const auto alone = with_gradients(exec::serial{}, loss, data);
    const float base = 200 * std::max(alone.source.cwiseAbs().maxCoeff(), alone.target.cwiseAbs().maxCoeff());
    conformance::matrix<float> gs = conformance::matrix<float>::Constant(90, features, base), gt = gs.topRows(80);
    loss.value_and_gradient(exec::serial{}, data.source, data.target, gradients{gs, gt, 1.f, write_mode::accumulate});
    const double error = (gs.cast<double>().array() - static_cast<double>(base) - alone.source.cast<double>().array()).abs().maxCoeff();
    CHECK(error < 3 * 6e-8 * static_cast<double>(base));
  }
}

TEST_CASE("hard data by columns are the same as by rows") {
  const mmd loss{kernel::energy{}, estimator::unbiased{}};
  for (const shape<double>& one : shapes<double>()) {
    CAPTURE(one.name);
    const two_samples<double> data = one.rows(70, 64);
    const Eigen::MatrixXd zs = data.source, zt = data.target;
    Eigen::MatrixXd gs(70, features), gt(64, features);
    const double value = loss.value_and_gradient(exec::serial{}, zs, zt, gradients{gs, gt});
    const auto rows = with_gradients(exec::serial{}, loss, data);
    CHECK(value == doctest::Approx(rows.value).epsilon(1e-11));
    CHECK(conformance::relative_difference(gs, rows.source) < 1e-12);
    CHECK(conformance::relative_difference(gt, rows.target) < 1e-12);
  }
}
