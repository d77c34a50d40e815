/// @file
/// Margin disparity discrepancy for regression.
#pragma once

#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace dalib {

/// How far two predictions of regression_disparity are apart.
enum class regression_loss {
  absolute, ///< |a - b|; slope 0 where they agree
  squared   ///< (a - b)^2
};

namespace detail {

/// One domain's predictions and its factor.
template <class T, class Memory>
struct disparity_domain {
  matrix_view<const T, Memory> fixed, adversarial;
  double factor; ///< of the mean over all entries, with its sign
};

/// Sum over the entries of a row of their losses.
template <class T, class Memory>
struct disparity_value_task {
  disparity_domain<T, Memory> of;
  regression_loss loss;

  DALIB_HD double operator()(index_t row) const {
    double sum = 0;
    for (index_t j = 0; j < of.fixed.cols; ++j) {
      const double apart = static_cast<double>(of.adversarial(row, j)) - static_cast<double>(of.fixed(row, j));
      sum += loss == regression_loss::squared ? apart * apart : (apart < 0 ? -apart : apart);
    }
    return sum;
  }
};

/// Writes the gradient of a row with respect to the adversarial predictions.
template <class T, class Memory>
struct disparity_gradient_task {
  disparity_domain<T, Memory> of;
  regression_loss loss;
  matrix_view<T, Memory> out;
  double scale;
  write_mode mode;

  DALIB_HD void operator()(index_t row) const {
    for (index_t j = 0; j < of.fixed.cols; ++j) {
      const double apart = static_cast<double>(of.adversarial(row, j)) - static_cast<double>(of.fixed(row, j));
      const double slope = loss == regression_loss::squared ? 2 * apart : (apart > 0 ? 1.0 : (apart < 0 ? -1.0 : 0.0));
      const T value = static_cast<T>(scale * slope);
      out(row, j) = mode == write_mode::accumulate ? out(row, j) + value : value;
    }
  }
};

} // namespace detail

/// Margin disparity discrepancy for regression (Zhang et al. 2019 with the losses of regression; margin 1: disparity discrepancy):
///
///     mean l(y_t, y_t_adv) - margin mean l(y_s, y_s_adv),   l = |.| or the square, means over all entries
///
/// Inputs are y_s, y_s_adv (n_s, F) and y_t, y_t_adv (n_t, F), predictions of the regressor and of the adversarial one. The regressor's are
/// constants: `gradients{g_s, g_t}` are those of y_s_adv and y_t_adv. O(n F).
/// @throws std::invalid_argument for empty domains, shapes that do not fit, gradients of the wrong shape, a negative margin.
///
/// @code{.cpp}
/// const Eigen::MatrixXd y = Eigen::MatrixXd::Zero(4, 2), away = Eigen::MatrixXd::Constant(4, 2, 3);
/// const regression_disparity loss{regression_loss::squared, 2};
/// assert(loss(y, y, y, away) == 9 && loss(y, away, y, y) == -18);
/// @endcode
struct regression_disparity : call_forms<regression_disparity> {
  static constexpr const char* name = "regression_disparity";
  static constexpr std::size_t arity = 4;
  static constexpr std::array<const char*, 4> argument_names = {"the source's predictions", "the source's adversarial predictions",
                                                                "the target's predictions", "the target's adversarial predictions"};
  using differentiable = std::index_sequence<1, 3>;

  regression_loss loss;
  double margin;

  explicit regression_disparity(regression_loss of_pair = regression_loss::absolute, double of_source = 1)
      : loss(of_pair), margin(of_source) {}

  /// The operation that every form of call comes down to.
  template <class Call, class YS, class YSA, class YT, class YTA>
  auto evaluate(const Call& call, const YS& y_s, const YSA& y_s_adv, const YT& y_t, const YTA& y_t_adv) const {
    const auto out = call.template output<0>(no_gradients<value_type_of<YS>, memory_of<YS>>());
    return run<Call::wants_gradient>(call, out, y_s, y_s_adv, y_t, y_t_adv);
  }

private:
  template <bool Gradient, class Call, class T, class Memory, class... Y>
  T run(const Call& call, const gradients<T, Memory>& out, const Y&... predictions) const {
    require_tensor_types<T, Memory, typename Call::execution_type, Y...>();
    const std::array<matrix_view<const T, Memory>, 4> y{const_view_of(predictions)...};
    require_two_samples(name, y[0], y[2]);
    require_shapes(y[0].rows == y[1].rows && y[0].cols == y[1].cols, name, "both predictions of a domain must have the same shape", y[0],
                   y[1]);
    require_shapes(y[2].rows == y[3].rows && y[2].cols == y[3].cols, name, "both predictions of a domain must have the same shape", y[2],
                   y[3]);
    require_gradient_shape(name, y[1], out.source);
    require_gradient_shape(name, y[3], out.target);
    require_apart(name, {y[0], y[1], y[2], y[3]}, {out.source, out.target});
    detail::require_not_negative(name, "the margin", margin);
    const workspace_scope scope(call.scratch);
    const auto of_domain = [&](const matrix_view<const T, Memory>& fixed, const matrix_view<const T, Memory>& adversarial, double factor,
                               const matrix_view<T, Memory>& to) {
      const double mean = factor / (static_cast<double>(fixed.rows) * static_cast<double>(fixed.cols));
      const detail::disparity_domain<T, Memory> domain{fixed, adversarial, mean};
      const double value = mean * backend<Memory>::sum_over_rows(call.execution, fixed.rows,
                                                                 detail::disparity_value_task<T, Memory>{domain, loss}, call.scratch);
      if constexpr (Gradient)
        if (to.data)
          backend<Memory>::for_each_row(
              call.execution, fixed.rows,
              detail::disparity_gradient_task<T, Memory>{domain, loss, to, static_cast<double>(out.scale) * mean, out.mode});
      return value;
    };
    const double of_source = of_domain(y[0], y[1], -margin, out.source);
    return static_cast<T>(of_source + of_domain(y[2], y[3], 1, out.target));
  }
};

} // namespace dalib
