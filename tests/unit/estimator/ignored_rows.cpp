// Rows that must not matter: those of weight 0, and those that an estimator does not use. Whatever stands in them, NaN too, changes no bit.
#include "conformance/check_execution.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_numbers;
using conformance::normal_rows;
using conformance::same_bits;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

/// A domain with weights of which every third or so is 0, the first one too.
template <class T>
struct domain {
  matrix<T> rows;
  std::vector<T> weights;

  domain(dalib::index_t count, dalib::index_t features, std::uint64_t seed, double shift)
      : rows(normal_rows<T>(count, features, seed, 1, shift)), weights(static_cast<std::size_t>(count)) {
    normal_numbers next(seed + 100);
    for (T& w : weights) w = next.uniform() < 0.35 ? T(0) : static_cast<T>(0.5 + 2 * next.uniform());
    weights[0] = 0;
    weights[1] = T(1.5);
  }

  /// The rows of weight 0 hold `what`.
  matrix<T> planted(double what) const {
    matrix<T> result = rows;
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (weights[i] == T(0)) result.row(static_cast<dalib::index_t>(i)).setConstant(static_cast<T>(what));
    return result;
  }

  /// Without the rows of weight 0.
  domain dense() const {
    domain result = *this;
    dalib::index_t kept = 0;
    result.weights.clear();
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (weights[i] != T(0)) {
        result.weights.push_back(weights[i]);
        result.rows.row(kept++) = rows.row(static_cast<dalib::index_t>(i));
      }
    result.rows.conservativeResize(kept, Eigen::NoChange);
    return result;
  }
};

template <class T>
struct answer {
  T value;
  matrix<T> source, target;
};

template <class T, class Measure>
answer<T> run(const Measure& measure, const sample<T>& zs, const sample<T>& zt) {
  answer<T> result{0, matrix<T>::Constant(zs.rows.rows, zs.rows.cols, 7), matrix<T>::Constant(zt.rows.rows, zt.rows.cols, 7)};
  result.value = measure.value_and_gradient(zs, zt, gradients{result.source, result.target});
  return result;
}

template <class T>
bool same(const answer<T>& a, const answer<T>& b) {
  return same_bits(a.value, b.value) && same_bits(a.source, b.source) && same_bits(a.target, b.target);
}

/// Calls use(kernel) for kernels of every statistic and bandwidths of every rule.
template <class Use>
void for_each_kernel(const Use& use) {
  use(kernel::gaussian_ladder{});
  use(kernel::gaussian{bandwidth::fixed{2}});
  use(kernel::laplacian{bandwidth::median{}});
  use(kernel::laplacian_l1{4});
  use(kernel::cosine{} + kernel::polynomial{.gamma = 0.1, .coef0 = 1, .degree = 2});
  use(kernel::gaussian{bandwidth::median{}} * kernel::linear{});
}

template <class T, class Estimator>
void check_weights(const Estimator& estimator, dalib::index_t n, dalib::index_t m, dalib::index_t features, bool blocks) {
  const domain<T> s(n, features, 3, 0), t(m, features, 4, 0.4);
  for_each_kernel([&](const auto& kernel) {
    const mmd measure{kernel, estimator};
    const answer<T> plain = run(measure, weighted(s.rows, s.weights), weighted(t.rows, t.weights));
    CHECK(std::isfinite(plain.value));
    for (const double what : {not_a_number, infinity, 1e8, -1e30}) {
      const matrix<T> zs = s.planted(what), zt = t.planted(what);
      CAPTURE(what);
      CHECK(same(run(measure, weighted(zs, s.weights), weighted(zt, t.weights)), plain));
    }
    const domain<T> few_s = s.dense(), few_t = t.dense();
    for (dalib::index_t i = 0; i < n; ++i)
      if (s.weights[static_cast<std::size_t>(i)] == T(0)) CHECK(plain.source.row(i).isZero(0));
    if (blocks) return; // they are cut by place
    const answer<T> dense = run(measure, weighted(few_s.rows, few_s.weights), weighted(few_t.rows, few_t.weights));
    const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-12;
    const domain<T> kept{[&] { domain<T> copy = s; copy.rows = plain.source; return copy; }()};
    CHECK(static_cast<double>(plain.value) == doctest::Approx(static_cast<double>(dense.value)).epsilon(tolerance));
    CHECK(conformance::relative_difference(kept.dense().rows, dense.source) < tolerance);
  });
}

/// The rows from `used` on hold NaN in place of numbers: no bit changes, and their gradient is 0.
template <class T, class Measure>
void check_unused(const Measure& measure, const matrix<T>& zs, const matrix<T>& zt, dalib::index_t used) {
  const answer<T> plain = run(measure, sample_of(zs), sample_of(zt));
  CHECK(std::isfinite(plain.value));
  for (const double what : {not_a_number, infinity, 1e30}) {
    matrix<T> planted_s = zs, planted_t = zt;
    planted_s.bottomRows(zs.rows() - used).setConstant(static_cast<T>(what));
    planted_t.bottomRows(zt.rows() - used).setConstant(static_cast<T>(what));
    const answer<T> found = run(measure, sample_of(planted_s), sample_of(planted_t));
    CHECK(same(found, plain));
    CHECK(found.source.bottomRows(zs.rows() - used).isZero(0));
    CHECK(found.target.bottomRows(zt.rows() - used).isZero(0));
  }
}

} // namespace

TEST_CASE("weight 0: the same as without the row, whatever stands in it") {
  check_weights<float>(estimator::biased{}, 23, 17, 5, false);
  check_weights<double>(estimator::unbiased{}, 20, 30, 18, false);
}

TEST_CASE("weight 0 beyond 256 rows") {
  check_weights<float>(estimator::unbiased{}, 300, 210, 5, false);
}

TEST_CASE("weight 0 in blocks") {
  check_weights<float>(estimator::block{8, estimator::biased{}}, 35, 27, 5, true);
  check_weights<double>(estimator::block{9}, 20, 30, 5, true);
}

TEST_CASE("weight 0 in a joint measure: every layer") {
  const domain<float> s(20, 5, 3, 0), t(15, 5, 4, 0.3);
  const matrix<float> ps = normal_rows<float>(20, 3, 5), pt = normal_rows<float>(15, 3, 6);
  const joint_mmd measure{jan_kernels(), estimator::biased{}};
  const float plain = measure(weighted(layers(s.rows, ps), s.weights), weighted(layers(t.rows, pt), t.weights));
  matrix<float> planted_ps = ps;
  for (dalib::index_t i = 0; i < 20; ++i)
    if (s.weights[static_cast<std::size_t>(i)] == 0) planted_ps.row(i).setConstant(static_cast<float>(not_a_number));
  const matrix<float> zs = s.planted(not_a_number), zt = t.planted(infinity);
  CHECK(measure(weighted(layers(zs, planted_ps), s.weights), weighted(layers(zt, pt), t.weights)) == plain);
}

TEST_CASE("rows that linear time, a user's quadruples or blocks leave out, with bandwidths that do not look at them") {
  const matrix<float> zs = normal_rows<float>(21, 6, 1), zt = normal_rows<float>(27, 6, 2, 1.2, 0.3);
  const auto each = [&](const auto& kernel) {
    check_unused(mmd{kernel, estimator::linear_time{}}, zs, zt, 20);
    check_unused(mmd{kernel, estimator::block{8}}, zs, zt, 16);
    check_unused(mmd{kernel, estimator::block{5, estimator::biased{}}}, zs, zt, 20);
    check_unused(mmd{kernel, estimator::block{7, estimator::linear_time{}}}, zs, zt, 21);
  };
  each(kernel::gaussian_ladder{0.5, 3, bandwidth::fixed{2}});
  each(kernel::laplacian_l1{4});
  each(kernel::cosine{} + 0.1 * kernel::linear{});
}

TEST_CASE("weights that sum to 0 in a domain or block are refused before anything is written") {
  const matrix<double> zs = normal_rows<double>(6, 3, 1), zt = normal_rows<double>(6, 3, 2);
  const std::vector<double> ws = {1, 1, 0, 0, 1, 1}, wt(6, 1.0), none(6, 0.0);
  const auto refuse = [&](const auto& estimator, const std::vector<double>& weights) {
    matrix<double> gs = matrix<double>::Constant(6, 3, 42), gt = gs;
    const mmd measure{kernel::gaussian{bandwidth::fixed{1}}, estimator};
    const sample<double> source{const_view_of(zs), weights.data()};
    CHECK_THROWS_AS(measure.value_and_gradient(source, weighted(zt, wt), gradients{gs, gt}), std::invalid_argument);
    CHECK_THROWS_AS(measure.value_and_gradient(weighted(zt, wt), source, gradients{gs, gt}), std::invalid_argument);
    CHECK((gs.array() == 42).all());
    CHECK((gt.array() == 42).all());
  };
  refuse(estimator::block{2, estimator::biased{}}, ws);
  refuse(estimator::block{2}, ws);
  refuse(estimator::biased{}, none);
  refuse(estimator::unbiased{}, none);
}

TEST_CASE("weights that sum to 1 are told from counts") {
  const matrix<double> zs = normal_rows<double>(4, 3, 1), zt = normal_rows<double>(4, 3, 2);
  const std::vector<double> share(4, 0.25), count(4, 1.0);
  CHECK_THROWS_WITH_AS((mmd{}(weighted(zs, share), zt)), doctest::Contains("weights are counts"), std::invalid_argument);
  const mmd biased{kernel::gaussian{bandwidth::fixed{1}}, estimator::biased{}};
  CHECK(biased(weighted(zs, share), zt) == doctest::Approx(biased(weighted(zs, count), zt)).epsilon(1e-14));
}
