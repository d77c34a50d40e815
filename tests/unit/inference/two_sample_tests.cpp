/// Two-sample tests: exact ties, laws under changes of the data, threads, bad input.
#include "samples.hpp"

#include "dalib/dalib.hpp"
#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/spectrum_test.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>
#include <vector>

namespace {

using namespace dalib;
using namespace dalib::inference;
using matrix = Eigen::MatrixXd;

const test::gaussian_of_width width_one{{1}}, median_width{};

template <class Test>
void check_threads(const Test& run) {
  std::vector<test_result> results;
  for (const int threads : {1, 2, 3, 8}) results.push_back(run(exec::openmp{threads}));
  const test_result& one = results.front();
  for (const test_result& other : results) {
    CHECK(other.statistic == one.statistic);
    CHECK(other.p_value == one.p_value);
    CHECK(other.null_sample == one.null_sample);
  }
}

} // namespace

TEST_CASE("Any number of threads gives the same bits, over several blocks of rows") {
  const matrix x = test::normal_rows(1, 150, 5), y = test::normal_rows(2, 170, 5, 0.1), z = test::normal_rows(3, 150, 5);
  const test_options options{.draws = 99, .seed = 4, .keep_null = true};
  check_threads([&](const exec::openmp& e) { return permutation_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return wild_bootstrap_test{width_one, wild_form::separate, 3}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return wild_bootstrap_test{width_one}(e, x, z, options); });
  check_threads([&](const exec::openmp& e) { return spectrum_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return gamma_test{width_one}(e, x, z, options); });
  check_threads([&](const exec::openmp& e) { return linear_time_test{width_one}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return block_test{width_one, 10}(e, x, y, options); });
  check_threads([&](const exec::openmp& e) { return fuse_test{fuse_kernel(x, y, 2)}(e, x, y, options); });
}

namespace {

namespace forms = dalib::inference::detail;

/// z'Kz of every vector in long double, of a Gaussian kernel of width 1 on rows as they are; the diagonal counts if `own` says so.
template <class Rows>
std::vector<double> exact_forms(const Rows& rows, const forms::label_vectors& vectors, forms::own_pairs own) {
  std::vector<long double> result(static_cast<std::size_t>(vectors.count()));
  for (index_t i = 0; i < rows.rows(); ++i)
    for (index_t j = 0; j <= i; ++j) {
      if (i == j && own == forms::own_pairs::without) continue;
      long double s = 0;
      for (index_t f = 0; f < rows.cols(); ++f) {
        const long double d = static_cast<long double>(rows(i, f)) - static_cast<long double>(rows(j, f));
        s += d * d;
      }
      const long double k = (i == j ? 1 : 2) * std::exp(-s / 2);
      for (index_t v = 0; v < vectors.count(); ++v) {
        const auto value = [&](index_t row) { return vectors.is_high(v, row) ? vectors.high() : vectors.low(); };
        result[static_cast<std::size_t>(v)] += k * static_cast<long double>(value(i) * value(j));
      }
    }
  return {result.begin(), result.end()};
}

/// The largest error of forms that are looked up, and of those that are multiplied out.
template <class T>
std::pair<double, double> form_errors(index_t source, index_t target, const forms::label_vectors& vectors, forms::own_pairs own) {
  const auto x = test::normal_rows<T>(1, source, 5), y = test::normal_rows<T>(2, target, 5, 0.1);
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> rows(source + target, 5);
  rows << x, y;
  const std::vector<double> exact = exact_forms(rows, vectors, own);
  forms::vector_rows<T> same(vectors.count(), vectors.length());
  for (index_t v = 0; v < vectors.count(); ++v)
    for (index_t i = 0; i < vectors.length(); ++i) same.row(v)[i] = static_cast<T>(vectors.is_high(v, i) ? vectors.high() : vectors.low());
  workspace scratch;
  const forms::one_term<test::gaussian_of_width> kernel{width_one};
  const exec::serial exec;
  return forms::with_kernel<true>("test", exec, kernel, sample_of(x), sample_of(y), scratch, [&](const auto& values) {
    const auto looked_up = forms::forms_of(exec, values, vectors, own), multiplied = forms::forms_of(exec, values, same, own),
               by_tables = forms::forms_by<forms::label_tables<T>>(exec, values, vectors, own); // what is used without AVX-512
    std::pair<double, double> worst{0, 0};
    for (index_t v = 0; v < vectors.count(); ++v) {
      const double right = exact[static_cast<std::size_t>(v)];
      worst.first = std::max({worst.first, std::abs(looked_up.square(0, v) - right), std::abs(by_tables.square(0, v) - right)});
      worst.second = std::max(worst.second, std::abs(multiplied.square(0, v) - right));
      CHECK(looked_up.with_ones(0, v) == doctest::Approx(multiplied.with_ones(0, v)).epsilon(1e-4).scale(1));
    }
    CHECK(looked_up.all(0) == doctest::Approx(multiplied.all(0)).epsilon(1e-5));
    return worst;
  });
}

} // namespace

TEST_CASE("Forms of vectors of two values that are looked up are as exact as products, at sizes around every unit") {
  const draw random(3, draw_stream::row, 0);
  for (const auto& sizes : std::vector<std::pair<index_t, index_t>>{{2, 3}, {17, 16}, {150, 171}, {64, 300}, {430, 10}})
    for (const auto own : {forms::own_pairs::with, forms::own_pairs::without}) {
      const index_t source = sizes.first, target = sizes.second;
      const double share = static_cast<double>(source) / static_cast<double>(source + target);
      forms::label_vectors vectors(40, source + target, 1 - share, -share);
      for (index_t v = 0; v < 40; ++v)
        for (index_t i = 0; i < source + target; ++i)
          if (random.uniform(1000 * v + i) < share) vectors.set_high(v, i);
      const auto in_float = form_errors<float>(source, target, vectors, own), in_double = form_errors<double>(source, target, vectors, own);
      CAPTURE(source);
      CAPTURE(in_float.first);
      CHECK(in_float.first <= 1.5 * in_float.second + 1e-7 * static_cast<double>(source + target));
      CHECK(in_double.first <= 1e-12 * static_cast<double>(source + target));
      CHECK(in_float.first > 0); // rounding that none has is a comparison of nothing
    }
}

TEST_CASE("A permutation that exchanges samples of one size is an exact tie, and so is a vector of signs and its negative") {
  const auto x = test::normal_rows<float>(1, 100, 3), y = test::normal_rows<float>(2, 100, 3);
  std::vector<std::int64_t> exchanged(200);
  for (std::size_t i = 0; i < 200; ++i) exchanged[i] = static_cast<std::int64_t>((i + 100) % 200);
  test_options options;
  options.given.permutations = {exchanged.data(), 1, 200};
  CHECK(permutation_test{width_one}(x, y, options).p_value == 1);
  const std::vector<double> negative(100, -1.0);
  options.given.weights = {negative.data(), 1, 100};
  CHECK(wild_bootstrap_test{width_one}(x, y, options).p_value == 1);
}

TEST_CASE("Many draws, more than are looked up together, have the values of few") {
  const auto x = test::normal_rows<float>(1, 30, 3), y = test::normal_rows<float>(2, 41, 3);
  const permutation_test test{width_one};
  const auto many = test(x, y, {.draws = 1300, .seed = 2, .keep_null = true}).null_sample;
  const auto few = test(x, y, {.draws = 7, .seed = 2, .keep_null = true}).null_sample;
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  CHECK(many[1299] != many[0]);
}

TEST_CASE("The identity is an exact tie also in single precision, wherever it stands among the draws") {
  const auto x = test::normal_rows<float>(1, 151, 7), y = test::normal_rows<float>(2, 140, 7);
  for (const index_t count : {1, 2, 37, 501}) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count * 291));
    for (index_t b = 0; b < count; ++b) std::iota(rows.begin() + b * 291, rows.begin() + (b + 1) * 291, std::int64_t{0});
    test_options options{.keep_null = true};
    options.given.permutations = {rows.data(), count, 291};
    const test_result r = permutation_test{width_one}(x, y, options);
    CHECK(r.p_value == 1);
    CHECK(std::all_of(r.null_sample.begin(), r.null_sample.end(), [&](double t) { return t == r.statistic; }));
  }
}

TEST_CASE("A draw is a function of seed, number and row alone") {
  const matrix x = test::normal_rows(1, 20, 2), y = test::normal_rows(2, 25, 2);
  const test_options few{.draws = 50, .seed = 9, .keep_null = true}, more{.draws = 99, .seed = 9, .keep_null = true};
  const auto a = permutation_test{width_one}(x, y, few).null_sample, b = permutation_test{width_one}(x, y, more).null_sample;
  CHECK(std::equal(a.begin(), a.end(), b.begin()));
  test_options other = few;
  other.seed = 10;
  CHECK(permutation_test{width_one}(x, y, other).null_sample != a);
}

TEST_CASE("The statistic is the library's MMD, and a sum of kernels is one statistic") {
  const matrix x = test::normal_rows(1, 200, 6), y = test::normal_rows(2, 130, 6, 0.3);
  const auto sum = kernel::gaussian{2.0} + 0.5 * kernel::laplacian_l1{3} + kernel::linear{};
  CHECK(permutation_test{sum}(x, y, {.draws = 1}).statistic == doctest::Approx(mmd{sum, estimator::unbiased{}}(x, y)).epsilon(1e-10));
  CHECK(permutation_test{sum, estimator::biased{}}(x, y, {.draws = 1}).statistic ==
        doctest::Approx(mmd{sum, estimator::biased{}}(x, y)).epsilon(1e-10));
  const double n = 200.0 * 130 / 330;
  CHECK(energy_test{}(x, y, {.draws = 1}).statistic ==
        doctest::Approx(n * mmd{kernel::energy{}, estimator::biased{}}(x, y)).epsilon(1e-10));
}

TEST_CASE("Scaling the data with the bandwidth keeps p; exchanging the samples keeps the statistic") {
  const matrix x = test::normal_rows(1, 30, 3), y = test::normal_rows(2, 25, 3, 0.2), larger = 4 * x, larger_y = 4 * y;
  const test_options options{.draws = 199, .seed = 3};
  const permutation_test median{median_width};
  CHECK(median(x, y, options).p_value == median(larger, larger_y, options).p_value);
  CHECK(permutation_test{test::gaussian_of_width{{0.5}}}(x, y, options).p_value ==
        permutation_test{test::gaussian_of_width{{2.0}}}(larger, larger_y, options).p_value);
  CHECK(median(x, y, options).statistic == doctest::Approx(median(y, x, options).statistic).epsilon(1e-12));
}

TEST_CASE("Constant data: p = 1, and nothing is rejected") {
  const matrix x = matrix::Constant(12, 3, 2), y = matrix::Constant(12, 3, 2);
  CHECK(permutation_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(wild_bootstrap_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(spectrum_test{median_width}(x, y, {.draws = 99}).p_value == 1);
  CHECK(energy_test{}(x, y, {.draws = 99}).p_value == 1);
  const gamma_result gamma = gamma_test{median_width}(x, y);
  CHECK((gamma.p_value == 1 && !gamma.reject && !gamma.warning.empty()));
  const normal_result linear = linear_time_test{median_width}(x, y);
  CHECK((linear.p_value == 1 && !linear.reject && !linear.warning.empty()));
  CHECK(!aggregated_test{mmdagg_kernel(x, y, 2)}(x, y, {.draws = 100}).reject);
}

TEST_CASE("A statistic that is no number, of a kernel that overflows, is never a small p") {
  const matrix x = test::normal_rows(1, 12, 3), y = test::normal_rows(2, 12, 3, 2.0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const test_result none = decide(nan, {nan, nan, 1.0}, {.alpha = 0.5});
  CHECK((none.p_value == 1 && !none.reject && none.warning.find("not finite") != std::string::npos));
  CHECK(decide(1.0, {nan, 0.5, 0.2}, {.alpha = 0.5}).p_value == 1);
  const aggregated_result all = aggregate({{nan, 3.0}, {{1, nan, 2, 0.5}, {0.1, 0.2, 0.3, 0.4}}, {{nan, 1, 2, 0.5}, {0.1, 0.2, 0.3, 0.4}}},
                                          {0.5, 0.5}, {.alpha = 0.5}, 50);
  CHECK((all.p_values[0] == 1 && all.rejected[0] == 0 && all.rejected[1] != 0 && all.reject));
  CHECK(all.warning.find("not finite") != std::string::npos);
}

TEST_CASE("Bad input is refused with the test's name before anything is computed") {
  const matrix x = test::normal_rows(1, 10, 3), y = test::normal_rows(2, 8, 3), other = test::normal_rows(2, 8, 2);
  matrix nan = x;
  nan(4, 1) = std::numeric_limits<double>::quiet_NaN();
  const permutation_test test{width_one};
  CHECK_THROWS_WITH_AS(test(x, other), doctest::Contains("permutation_test: source and target must have the same number of features"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(nan, y), doctest::Contains("row 4, column 1"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.alpha = 0}), doctest::Contains("alpha"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.alpha = 1}), doctest::Contains("alpha"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(test(x, y, {.draws = 0}), doctest::Contains("at least one permutation"), std::invalid_argument);
  CHECK_THROWS_AS(test(matrix(0, 3), y), std::invalid_argument);
  CHECK_THROWS_AS(test(x.topRows(1).eval(), y), std::invalid_argument);
  CHECK_THROWS_AS(gamma_test{width_one}(x, y), std::invalid_argument);
  CHECK_THROWS_AS(wild_bootstrap_test{width_one}(x, y), std::invalid_argument);
  CHECK_THROWS_AS(linear_time_test{width_one}(x.topRows(3).eval(), y), std::invalid_argument);
  CHECK_THROWS_AS(block_test(width_one, 5)(x, y), std::invalid_argument);
  CHECK_THROWS_AS(aggregated_test(mmdagg_kernel(x, y, 2), resampling::permutations, {0.5, 0.5})(x, y), std::invalid_argument);
  const std::vector<double> weights(10, 1.0);
  CHECK_THROWS_WITH_AS(test(weighted(x, weights), y), doctest::Contains("no sample weights"), std::invalid_argument);
  std::vector<std::int64_t> twice(18, 0);
  test_options given;
  given.given.permutations = {twice.data(), 1, 18};
  CHECK_THROWS_WITH_AS(test(x, y, given), doctest::Contains("not a permutation"), std::invalid_argument);
  CHECK(test(x, y, {.alpha = 0.01, .draws = 50}).warning.find("cannot reject") != std::string::npos);
}

TEST_CASE("Tails and quantiles far out, against numbers of a computer algebra system") {
  CHECK(normal_upper_tail(10) / 7.619853024160527e-24 == doctest::Approx(1).epsilon(1e-12));
  CHECK(normal_upper_quantile(1e-11) == doctest::Approx(6.706023155495).epsilon(1e-11));
  CHECK(chi_squared_upper_tail(2, 60) / 9.357622968840175e-14 == doctest::Approx(1).epsilon(1e-12)); // exp(-30)
  for (const double shape : {0.05, 0.7, 3.0, 80.0})
    for (const double p : {0.9, 0.05, 1e-6, 1e-12})
      CHECK(gamma_upper_tail(shape, gamma_upper_quantile(shape, p)) / p == doctest::Approx(1).epsilon(1e-10));
}
