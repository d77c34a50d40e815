/// @file
/// Adaptive feature norm: larger features for the target, or the same norm for both domains.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/measure/score_measure.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// |row|_2 in double.
template <class T, class Memory>
struct row_norm_task {
  matrix_view<const T, Memory> rows;

  DALIB_HD double operator()(index_t row) const {
    using std::sqrt;
    double square = 0;
    for (index_t f = 0; f < rows.cols; ++f) square += static_cast<double>(rows(row, f)) * static_cast<double>(rows(row, f));
    return sqrt(square);
  }
};

/// Writes factor * row / |row|; 0 for a row of zeros.
template <class T, class Memory>
struct direction_task {
  matrix_view<const T, Memory> rows;
  matrix_view<T, Memory> out;
  double factor;
  write_mode mode;

  DALIB_HD void operator()(index_t row) const {
    const double norm = row_norm_task<T, Memory>{rows}(row), share = norm > 0 ? factor / norm : 0;
    for (index_t f = 0; f < rows.cols; ++f) {
      const T value = static_cast<T>(share * static_cast<double>(rows(row, f)));
      out(row, f) = mode == write_mode::accumulate ? out(row, f) + value : value;
    }
  }
};

/// What both norms share: inputs (n_s, F), (n_t, F); the measure gives `slope_of(mean norms, sizes)`.
template <class Measure>
struct feature_norm_measure : call_forms<Measure> {
  static constexpr std::size_t arity = 2;

  /// The operation that every form of call comes down to.
  template <class Call, class FS, class FT>
  auto evaluate(const Call& call, const FS& features_s, const FT& features_t) const {
    using types = two_sample_types<FS, FT>;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, typename types::memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call.execution, const_view_of(features_s), const_view_of(features_t), out, call.scratch);
  }

private:
  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const matrix_view<const T, Memory>& source, const matrix_view<const T, Memory>& target,
        const gradients<T, Memory>& out, workspace_of<Memory>& scratch) const {
    const auto& self = static_cast<const Measure&>(*this);
    require_two_samples(Measure::name, source, target);
    require_gradients(Measure::name, sample<T, Memory>{source}, sample<T, Memory>{target}, out);
    self.require_settings();
    const workspace_scope scope(scratch);
    const auto of_domain = [&](const matrix_view<const T, Memory>& rows, const matrix_view<T, Memory>& gradient, index_t others) {
      const auto n = static_cast<double>(rows.rows);
      const double mean =
          self.reads_norms() ? backend<Memory>::sum_over_rows(exec, rows.rows, row_norm_task<T, Memory>{rows}, scratch) / n : 0;
      const auto [value, slope] = self.of_mean(mean, n, static_cast<double>(others));
      if constexpr (Gradient)
        if (gradient.data)
          backend<Memory>::for_each_row(exec, rows.rows,
                                        direction_task<T, Memory>{rows, gradient, static_cast<double>(out.scale) * slope / n, out.mode});
      return value;
    };
    const double of_source = of_domain(source, out.source, target.rows);
    return static_cast<T>(of_source + of_domain(target, out.target, source.rows));
  }
};

/// The share of a domain in a loss, and its derivative with respect to the domain's mean norm.
struct value_and_slope {
  double value;
  double slope;
};

} // namespace detail

/// Hard adaptive feature norm (HAFN, Xu et al. 2019, eq. 3): with h the Euclidean norm of a row,
///
///     (mean h_s - radius)^2 + (mean h_t - radius)^2
///
/// Features are (n_s, F) and (n_t, F). A row of zeros, as a ReLU gives, has gradient 0. O(n F).
/// @throws std::invalid_argument for empty domains, different numbers of features, gradients of the wrong shape, a radius that is not
/// finite or negative.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = (Eigen::MatrixXd(2, 2) << 3, 4, 0, 0).finished(), f_t = (Eigen::MatrixXd(1, 2) << 0, 2).finished();
/// const auto [value, g_s, g_t] = value_and_gradient(hard_feature_norm{2}, f_s, f_t); // norms 5 and 0; 2
/// assert(std::abs(value - 0.25) < 1e-15 && std::abs(g_s(0, 0) - 0.3) < 1e-15 && g_s(1, 0) == 0 && g_t.norm() == 0);
/// @endcode
struct hard_feature_norm : detail::feature_norm_measure<hard_feature_norm> {
  static constexpr const char* name = "hard_feature_norm";

  double radius;

  /// @param norm  `radius`: the norm that both domains are drawn to; 25 in the paper.
  explicit hard_feature_norm(double norm = 25) : radius(norm) {}

  void require_settings() const { detail::require_not_negative(name, "radius", radius); }
  static constexpr bool reads_norms() { return true; }
  detail::value_and_slope of_mean(double mean, double, double) const { return {(mean - radius) * (mean - radius), 2 * (mean - radius)}; }
};

/// How stepwise_feature_norm weighs the domains.
enum class norm_average {
  per_domain, ///< a mean over each domain, added: the authors' code
  pooled      ///< one mean over the rows of both: the paper
};

/// Stepwise adaptive feature norm (SAFN, Xu et al. 2019, eq. 5): every norm h is drawn towards what it is now plus a step,
///
///     mean over rows of (h - (h_now + step))^2,   h_now detached
///
/// so the value is always step^2 (twice that with `per_domain`), and row f has the gradient -2 step f / (n h). Features, cost, zero rows
/// and errors as hard_feature_norm.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(5, 3), f_t = Eigen::MatrixXd::Random(4, 3);
/// const auto [value, g_s, g_t] = value_and_gradient(stepwise_feature_norm{0.5}, f_s, f_t);
/// assert(std::abs(value - 2 * 0.25) < 1e-15 && std::abs(g_s.row(0).norm() - 2 * 0.5 / 5) < 1e-15);
/// const stepwise_feature_norm as_in_the_paper{0.5, norm_average::pooled};
/// assert(std::abs(as_in_the_paper(f_s, f_t) - 0.25) < 1e-15);
/// @endcode
struct stepwise_feature_norm : detail::feature_norm_measure<stepwise_feature_norm> {
  static constexpr const char* name = "stepwise_feature_norm";

  double step;
  norm_average average;

  explicit stepwise_feature_norm(double delta = 1, norm_average over = norm_average::per_domain) : step(delta), average(over) {}

  void require_settings() const { detail::require_not_negative(name, "step", step); }
  static constexpr bool reads_norms() { return false; }
  detail::value_and_slope of_mean(double, double own, double others) const {
    const double share = average == norm_average::pooled ? own / (own + others) : 1;
    return {share * step * step, -2 * share * step};
  }
};

} // namespace dalib
