/// @file
/// The kernel Stein discrepancy: whether a sample follows a law that is known by the gradient of its log density alone.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/inference/draws.hpp"
#include "dalib/inference/quadratic_forms.hpp"

#include <Eigen/Core>

#include <cmath>
#include <concepts>
#include <vector>

namespace dalib::inference {

/// A radial kernel k(s) of s = |x - y|^2 with its first two derivatives.
struct second_order {
  double value, first, second;
};

/// A kernel of Stein discrepancies: s -> second_order.
///
/// @code{.cpp}
/// struct cubic { // exp(-s) (1 + s)
///   inference::second_order operator()(double s) const {
///     const double e = std::exp(-s);
///     return {e * (1 + s), -e * s, e * (s - 1)};
///   }
/// };
/// static_assert(inference::stein_kernel<cubic> && inference::stein_kernel<inference::stein_gaussian>);
/// const inference::second_order at = inference::stein_multiquadric{1, -0.5}(3.0); // (1 + s)^-1/2
/// assert(at.value == 0.5 && at.first == -0.0625);
/// @endcode
template <class K>
concept stein_kernel = requires(const K& k) {
  { k(1.0) } -> std::same_as<second_order>;
};

/// exp(-s / (2 sigma^2)).
struct stein_gaussian {
  double sigma = 1;

  second_order operator()(double s) const {
    const double rate = 1 / (2 * sigma * sigma), value = std::exp(-rate * s);
    return {value, -rate * value, rate * rate * value};
  }
};

/// (c^2 + s)^beta, -1 < beta < 0: with it the discrepancy controls convergence (Gorham and Mackey 2017); the default.
struct stein_multiquadric {
  double c = 1, beta = -0.5;

  second_order operator()(double s) const {
    const double base = c * c + s, value = std::pow(base, beta);
    return {value, beta * value / base, beta * (beta - 1) * value / (base * base)};
  }
};

namespace detail {

/// u_ij of a sample and its scores, block by block, in double. Rows are measured from their mean: u depends on differences alone.
template <class Kernel>
class stein_blocks {
public:
  using value_type = double;
  using row_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  template <class T>
  stein_blocks(const Kernel& kernel, const matrix_view<const T>& rows, const matrix_view<const T>& scores)
      : kernel_(kernel), x_(rows.rows, rows.cols), s_(rows.rows, rows.cols) {
    for (index_t i = 0; i < rows.rows; ++i)
      for (index_t f = 0; f < rows.cols; ++f) {
        x_(i, f) = static_cast<double>(rows(i, f));
        s_(i, f) = static_cast<double>(scores(i, f));
      }
    x_.rowwise() -= x_.colwise().mean().eval();
    norms_ = x_.rowwise().squaredNorm();
    along_ = (x_.array() * s_.array()).rowwise().sum();
  }
  index_t rows() const { return x_.rows(); }
  int terms() const { return 1; }

  /// u_ij = s_i.s_j k + 2 k' (s_j - s_i).(x_i - x_j) - 2 F k' - 4 d^2 k'' (Liu, Lee, Jordan 2016, theorem 3.6, for a function of d^2).
  void fill_terms(const block_place& at, double* to) const {
    std::vector<double> memory(static_cast<std::size_t>(3 * at.rows * at.cols));
    double *xx = memory.data(), *xs = xx + at.rows * at.cols, *sx = xs + at.rows * at.cols;
    workspace scratch;
    multiply(s_, s_, at, to, scratch);
    multiply(x_, x_, at, xx, scratch);
    multiply(x_, s_, at, xs, scratch);
    multiply(s_, x_, at, sx, scratch);
    const auto features = static_cast<double>(x_.cols());
    for (index_t i = 0; i < at.rows; ++i)
      for (index_t j = 0; j < at.cols; ++j) {
        const index_t p = i * at.cols + j, a = at.row + i, b = at.col + j;
        const double d2 = a == b ? 0 : std::max(0.0, norms_(a) + norms_(b) - 2 * xx[p]);
        const double cross = xs[p] - along_(b) - along_(a) + sx[p]; // (s_b - s_a).(x_a - x_b)
        const second_order k = kernel_(d2);
        to[p] = to[p] * k.value + 2 * k.first * (cross - features) - 4 * d2 * k.second;
      }
  }

private:
  static void multiply(const row_matrix& a, const row_matrix& b, const block_place& at, double* to, workspace& scratch) {
    const matrix_view<const double> left(a.data() + at.row * a.cols(), at.rows, a.cols());
    const matrix_view<const double> right(b.data() + at.col * b.cols(), at.cols, b.cols());
    backend<host_memory>::product(exec::serial{}, left, right.transposed(), matrix_view<double>(to, at.rows, at.cols),
                                  engine::product_scale<double>{}, scratch);
  }

  Kernel kernel_;
  row_matrix x_, s_;
  Eigen::VectorXd norms_, along_;
};

} // namespace detail

/// Which estimate of the discrepancy, and which bootstrap.
enum class stein_form {
  biased,     ///< sum u_ij / n^2, signs (Chwialkowski et al. 2016)
  unbiased,   ///< sum_{i != j} u_ij / (n (n - 1)), signs
  multinomial ///< the unbiased one; sum_{i != j} (c_i / n - 1/n)(c_j / n - 1/n) u_ij with multinomial counts c (Liu et al. 2016)
};

/// Test of the hypothesis that a sample (n, F) follows the law whose scores grad log p at its rows are given (n, F): no normalising
/// constant is needed. Statistic: the squared kernel Stein discrepancy. O(n^2 (F + draws)) time, O(n (F + draws)) memory, computed in
/// double. For dependent rows, such as a Markov chain's, give sign processes in `options.given.weights`. The same bits for any number of
/// threads.
/// @throws std::invalid_argument for shapes that differ, n < 2, and numbers that are not finite.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = 3 * Eigen::MatrixXd::Random(200, 2), score = -x; // of the standard normal law, which x does not follow
/// const inference::stein_test test{inference::stein_multiquadric{}, inference::stein_form::unbiased};
/// assert(test(x, score).reject);
/// assert(std::abs(test(x, score).statistic - inference::stein_discrepancy(inference::stein_multiquadric{}, x, score, false)) < 1e-12);
/// @endcode
template <stein_kernel Kernel = stein_multiquadric>
struct stein_test {
  static constexpr const char* name = "stein_test";

  Kernel kernel{};
  stein_form form = stein_form::biased;

  stein_test() = default;
  explicit stein_test(Kernel k, stein_form f = stein_form::biased) : kernel(k), form(f) {}

  template <matrix_like X, matrix_like S>
  test_result operator()(const X& x, const S& score, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, x, score, options);
  }
  template <class Exec, matrix_like X, matrix_like S>
  requires(!matrix_like<Exec>) test_result operator()(const Exec& exec, const X& x, const S& score,
                                                      const test_options& options = {}) const {
    require_alpha(name, options.alpha);
    const detail::stein_blocks<Kernel> u = blocks_of(name, kernel, x, score);
    const index_t n = u.rows();
    const multipliers signs(name, options, options.given.weights, draw_stream::sign, n);
    const bool counts = form == stein_form::multinomial;
    detail::vector_rows<double> vectors(signs.count() + 1, n);
    exec.run(signs.count() + 1, [&](index_t v, int) {
      double* row = vectors.row(v);
      if (v == 0)
        std::fill_n(row, n, 1.0);
      else if (counts && !options.given.weights.data)
        draw_counts(draw(options.seed, draw_stream::multinomial, v - 1), n, row);
      else
        for (index_t i = 0; i < n; ++i) row[i] = signs(v - 1, i);
      if (counts && v > 0)
        for (index_t i = 0; i < n; ++i) row[i] = (row[i] - 1) / static_cast<double>(n);
    });
    const auto own = form == stein_form::biased ? detail::own_pairs::with : detail::own_pairs::without;
    const auto forms = detail::form_sums<double, detail::stein_blocks<Kernel>>(u, vectors.view(), own).run(exec);
    const double pairs = form == stein_form::biased ? static_cast<double>(n * n) : static_cast<double>(n * (n - 1));
    std::vector<double> null_sample;
    for (index_t v = 1; v <= signs.count(); ++v) null_sample.push_back(forms.square(0, v) / (counts ? 1 : pairs));
    return decide(forms.square(0, 0) / pairs, std::move(null_sample), options);
  }

  /// @internal
  template <class X, class S>
  static detail::stein_blocks<Kernel> blocks_of(const char* who, const Kernel& kernel, const X& x, const S& score) {
    using T = value_type_of<X>;
    static_assert(std::is_same_v<T, value_type_of<S>> && std::is_same_v<memory_of<X>, host_memory>,
                  "dalib: sample and scores must have the same scalar type, in the host's memory");
    const matrix_view<const T> rows = const_view_of(x), scores = const_view_of(score);
    require_shapes(rows.rows >= 2 && rows.cols > 0 && rows.rows == scores.rows && rows.cols == scores.cols, who,
                   "needs at least 2 rows, and scores of the sample's shape", rows, scores);
    require_finite(who, "the sample", rows);
    require_finite(who, "the scores", scores);
    return {kernel, rows, scores};
  }

private:
  static void draw_counts(const draw& one, index_t n, double* counts) {
    std::fill_n(counts, n, 0.0);
    for (index_t i = 0; i < n; ++i) counts[static_cast<index_t>(one.uniform(i) * static_cast<double>(n))] += 1;
  }
};

/// The squared kernel Stein discrepancy alone: biased (V) or not (U). O(n^2 F).
template <stein_kernel Kernel, matrix_like X, matrix_like S, class Exec = exec::default_policy>
double stein_discrepancy(const Kernel& kernel, const X& x, const S& score, bool biased = true, const Exec& exec = {}) {
  const auto u = stein_test<Kernel>::blocks_of("stein_discrepancy", kernel, x, score);
  const index_t n = u.rows();
  detail::vector_rows<double> ones(1, n);
  std::fill_n(ones.row(0), n, 1.0);
  const auto own = biased ? detail::own_pairs::with : detail::own_pairs::without;
  const auto forms = detail::form_sums<double, detail::stein_blocks<Kernel>>(u, ones.view(), own).run(exec);
  return forms.square(0, 0) / static_cast<double>(biased ? n * n : n * (n - 1));
}

/// The matrix u_ij, (n, n) doubles, for those who want it.
template <stein_kernel Kernel, matrix_like X, matrix_like S>
Eigen::MatrixXd stein_matrix(const Kernel& kernel, const X& x, const S& score) {
  const auto u = stein_test<Kernel>::blocks_of("stein_matrix", kernel, x, score);
  typename detail::stein_blocks<Kernel>::row_matrix result(u.rows(), u.rows());
  u.fill_terms({0, u.rows(), 0, u.rows()}, result.data());
  return result;
}

} // namespace dalib::inference
