// Incomplete U statistics over drawn and given pairs, quadruples of a user's own, and sums of estimators.
#include "conformance/samples.hpp"
#include "support/accuracy.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using oracle::complex;
using oracle::real;

namespace {

/// The weights of all ordered pairs that an estimator's quadruples add up to.
template <class Estimator>
oracle::matrix weights_of(const Estimator& estimator, dalib::index_t n, dalib::index_t m) {
  const sample_sizes sizes{n, m, double(n), double(m), false};
  const quadruple_plan plan = estimator.plan(sizes);
  oracle::matrix c = oracle::matrix::Zero(n + m, n + m);
  for (dalib::index_t q = 0; q < plan.count; ++q) {
    const quadruple_places at = estimator.places(sizes, q);
    c(at.source_first, at.source_second) += plan.within;
    c(n + at.target_first, n + at.target_second) += plan.within;
    c(at.source_first, n + at.target_second) -= plan.across;
    c(at.source_second, n + at.target_first) -= plan.across;
  }
  return c;
}

const auto mixed = kernel::gaussian{bandwidth::fixed{2}} * kernel::linear{} + kernel::laplacian_l1{3} + 0.5 * kernel::linear{};
const oracle::kernel mixed_formula{[](const std::array<complex, 4>& s) {
                                     return std::exp(-s[oracle::squared] / real(8)) * s[oracle::inner] +
                                            std::exp(-s[oracle::l1] / real(3)) + s[oracle::inner] / real(2);
                                   },
                                   {oracle::squared, oracle::inner, oracle::l1}};

template <class T, class Estimator>
void check(const Estimator& estimator, dalib::index_t n, dalib::index_t m) {
  CAPTURE(n);
  const matrix<T> zs = normal_rows<T>(n, 6, 1), zt = normal_rows<T>(m, 6, 2, 1.2, 0.3);
  const auto expected = oracle::evaluate(mixed_formula, oracle::joint(zs, zt), weights_of(estimator, n, m));
  const mmd loss{mixed, estimator};
  const auto result = value_and_gradient(loss, zs, zt);
  CHECK(static_cast<double>(result.value) == doctest::Approx(static_cast<double>(expected.value)).epsilon(support::gradient_bound<T>));
  CHECK(oracle::gradient_error(result.source, result.target, expected.gradient) < support::gradient_bound<T>);
  CHECK(expected.gradient.norm() > 0.01);
  // Columns that stand apart, one domain alone, scaled, added to what stands there.
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> columns = zs, gs = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>::Ones(n, 6);
  CHECK(loss.value_and_gradient(exec::openmp{2}, columns, zt, gradients{gs, matrix_view<T>{}, T(-2), write_mode::accumulate}) ==
        result.value);
  CHECK(static_cast<double>((gs.array() - 1 + 2 * result.source.array()).matrix().norm()) < 20 * support::gradient_bound<T> * gs.norm());
}

} // namespace

TEST_CASE_TEMPLATE("incomplete: values and gradients against long double, drawn, given and chosen by a user", T, float, double) {
  const std::vector<estimator::row_pair> list = {{0, 1}, {1, 0}, {5, 2}, {5, 2}, {3, 5}};
  check<T>(estimator::incomplete{200, 3}, 9, 7);
  check<T>(estimator::incomplete{5}, 40, 30);
  check<T>(estimator::incomplete{list}, 6, 8);
  check<T>(foreign::neighbours{}, 11, 8);
}

TEST_CASE("incomplete: a far row costs the others nothing, and linear kernels see no shift") {
  for (const bool shift : {false, true}) {
    matrix<float> zs = normal_rows<float>(12, 8, 1), zt = normal_rows<float>(10, 8, 2, 1, 0.5);
    if (shift) {
      zs.array() += 1e6f;
      zt.array() += 1e6f;
    } else {
      zs.row(5).array() += 1e8f;
    }
    const estimator::incomplete few{30, 1};
    const oracle::matrix z = oracle::joint(zs, zt).array() - real(shift ? 1e6 : 0);
    const auto expected = oracle::evaluate(oracle::of(oracle::inner, [](complex s) { return s; }), z, weights_of(few, 12, 10));
    const auto found = value_and_gradient(mmd{kernel::linear{}, few}, zs, zt);
    CHECK(static_cast<double>(found.value) == doctest::Approx(static_cast<double>(expected.value)).epsilon(1e-6));
    CHECK(oracle::gradient_error(found.source, found.target, expected.gradient) < 1e-6);
  }
}

TEST_CASE("incomplete: drawn pairs are functions of the seed, cover all rows and estimate the U statistic") {
  const matrix<double> zs = normal_rows<double>(20, 3, 1), zt = normal_rows<double>(15, 3, 2, 1, 0.4);
  const kernel::gaussian<bandwidth::fixed> k{bandwidth::fixed{1}};
  const double first = mmd{k, estimator::incomplete{50, 1}}(zs, zt);
  CHECK(mmd{k, estimator::incomplete{50, 1}}(zs, zt) == first);
  CHECK(mmd{k, estimator::incomplete{50, 2}}(zs, zt) != first);
  double mean = 0, square = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    const double value = mmd{k, estimator::incomplete{50, seed}}(zs, zt);
    mean += value / 400;
    square += value * value / 400;
  }
  const double deviation = std::sqrt(square - mean * mean);
  CHECK(std::abs(mean - mmd{k, estimator::unbiased{}}(zs, zt)) < 4 * deviation / 20);
  const sample_sizes sizes{20, 15, 20, 15, false};
  std::vector<int> drawn(35);
  for (dalib::index_t q = 0; q < 2000; ++q) {
    const quadruple_places at = estimator::incomplete{2000}.places(sizes, q);
    REQUIRE((at.source_first != at.source_second && at.target_first != at.target_second));
    for (const auto row : {at.source_first, at.source_second, 20 + at.target_first, 20 + at.target_second}) ++drawn.at(std::size_t(row));
  }
  CHECK(*std::min_element(drawn.begin(), drawn.end()) > 100);
}

TEST_CASE("incomplete: the same bits for any number of threads, in every layer of a joint kernel") {
  const matrix<float> zs = normal_rows<float>(300, 12, 1), zt = normal_rows<float>(200, 12, 2), ps = normal_rows<float>(300, 5, 3),
                      pt = normal_rows<float>(200, 5, 4);
  const joint_mmd loss{layer_kernels(kernel::gaussian{}, kernel::gaussian{}), estimator::incomplete{500, 9}};
  matrix<float> gs(300, 12), gt(200, 12), hs(300, 5), ht(200, 5), gs2 = gs, gt2 = gt, hs2 = hs, ht2 = ht;
  const auto call = [&](const auto& exec, auto& a, auto& b, auto& c, auto& d) {
    return loss.value_and_gradient(exec, layers(zs, ps), layers(zt, pt), layer_gradients<float, 2>{layers(a, c), layers(b, d)});
  };
  const float value = call(exec::serial{}, gs, gt, hs, ht);
  CHECK(gs.norm() * gt.norm() * hs.norm() * ht.norm() > 0);
  for (int threads = 1; threads <= 3; ++threads) {
    CHECK(call(exec::openmp{threads}, gs2, gt2, hs2, ht2) == value);
    CHECK(((gs2 == gs) && (gt2 == gt) && (hs2 == hs) && (ht2 == ht)));
  }
}

TEST_CASE("a sum of estimators is the sum of their values and gradients") {
  const matrix<double> zs = normal_rows<double>(12, 4, 1), zt = normal_rows<double>(9, 4, 2);
  const auto all = value_and_gradient(mmd{mixed, foreign::two_parts{}}, zs, zt);
  const auto first = value_and_gradient(mmd{mixed, estimator::biased{}}, zs, zt);
  const auto second = value_and_gradient(mmd{mixed, estimator::block{4}}, zs, zt);
  CHECK(all.value == doctest::Approx(first.value + second.value).epsilon(1e-13));
  CHECK((all.source - first.source - second.source).norm() < 1e-13);
  CHECK((all.target - first.target - second.target).norm() < 1e-13);
  matrix<double> gs = matrix<double>::Ones(3, 4), gt = gs;
  CHECK_THROWS_AS((mmd{mixed, foreign::two_parts{}}.value_and_gradient(zs.topRows(3), zt.topRows(3), gradients{gs, gt})),
                  std::invalid_argument);
  CHECK((gs.array() == 1).all()); // the first part would have been possible
}

TEST_CASE("incomplete: what cannot be estimated is refused") {
  const matrix<double> zs = normal_rows<double>(5, 2, 1), zt = normal_rows<double>(4, 2, 2);
  const auto value = [&](const auto& estimator) { return mmd{kernel::linear{}, estimator}(zs, zt); };
  const std::vector<estimator::row_pair> none, same = {{0, 1}, {2, 2}}, beyond = {{0, 4}}, negative = {{-1, 0}};
  CHECK_THROWS_WITH_AS(value(estimator::incomplete{0}), doctest::Contains("at least one pair"), std::invalid_argument);
  CHECK_THROWS_AS(value(estimator::incomplete{none}), std::invalid_argument);
  CHECK_THROWS_WITH_AS(value(estimator::incomplete{same}), doctest::Contains("(2, 2)"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(value(estimator::incomplete{beyond}), doctest::Contains("mmd"), std::invalid_argument);
  CHECK_THROWS_AS(value(estimator::incomplete{negative}), std::invalid_argument);
  CHECK_THROWS_AS((mmd{kernel::linear{}, estimator::incomplete{5}}(zs.topRows(1), zt)), std::invalid_argument);
  const std::vector<double> weights = {1, 1, 1, 1, 1};
  CHECK_THROWS_AS((mmd{kernel::linear{}, estimator::incomplete{5}}(weighted(zs, weights), zt)), std::invalid_argument);
  static_assert(!std::is_constructible_v<estimator::given_pairs, std::vector<estimator::row_pair>>);
}
