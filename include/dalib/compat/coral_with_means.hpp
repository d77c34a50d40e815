/// @file
/// What TLlib calls CORAL.
#pragma once

#include "dalib/measure/coral.hpp"

namespace dalib {

namespace compat {

/// What TLlib calls CORAL: mean_j (mean_s - mean_t)_j^2 + mean_jk (C_s - C_t)_jk^2, so four times Deep CORAL and a distance of means.
/// Shapes, cost and errors as coral.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(20, 3), f_t = Eigen::MatrixXd::Random(16, 3);
/// const double means = (f_s.colwise().mean() - f_t.colwise().mean()).squaredNorm() / 3;
/// assert(std::abs(compat::coral_with_means{}(f_s, f_t) - 4 * coral{}(f_s, f_t) - means) < 1e-14);
/// @endcode
struct coral_with_means : two_sample_measure<coral_with_means> {
  static constexpr const char* name = "coral_with_means";

  template <class View>
  void require_settings(const View& source, const View& target) const {
    dalib::detail::require_covariances(name, source, target);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    namespace parts = dalib::detail;
    const auto gap = parts::covariance_gap_of<T>(call.execution, source, target, call.scratch);
    const index_t features = source.cols;
    const double share = 1 / static_cast<double>(features), factor = 4 * share * share;
    double value = 0;
    for (index_t j = 0; j < features; ++j) value += share * (gap.mean_s[j] - gap.mean_t[j]) * (gap.mean_s[j] - gap.mean_t[j]);
    if constexpr (Gradient) {
      const auto write = [&](const matrix_view<T>& centred, const matrix_view<T>& to, double sign) {
        const auto n = static_cast<double>(centred.rows);
        double* const of_mean = call.scratch.template allocate<double>(features);
        for (index_t j = 0; j < features; ++j)
          of_mean[j] = static_cast<double>(out.scale) * sign * 2 * share / n * (gap.mean_s[j] - gap.mean_t[j]);
        const T scale = static_cast<T>(sign * factor * gap.scale / (n - 1)) * out.scale;
        parts::write_covariance_gradient(call.execution, centred, gap.difference, of_mean, to, scale, out.mode, call.scratch);
      };
      write(gap.source, out.source, 1);
      write(gap.target, out.target, -1);
    }
    return value + share * share * gap.scale * gap.scale * parts::squared_norm(call.execution, gap.difference, call.scratch);
  }
};

} // namespace compat

} // namespace dalib
