/// @file
/// Contrastive domain discrepancy of CAN: near within classes, far between them.
#pragma once

#include "dalib/measure/class_pairs.hpp"
#include "dalib/measure/local_mmd.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dalib {

/// @internal
/// The kernel of a pair of classes: a ladder of five Gaussians of this scale.
struct contrast_ladder {
  static auto kernel(const detail::pooled_scale& scale) { return kernel::gaussian_ladder(0.125, 5, scale); }
};

/// What contrastive_domain_discrepancy compares.
enum class contrast {
  full,       ///< within classes, less between them
  intra_class ///< within classes only
};

/// Contrastive domain discrepancy (CDD of CAN, Kang et al. 2019, eq. 3-5): with D_cd the biased MMD between the source rows of class c and
/// the target rows of class d,
///
///     1/C sum_c D_cc - 1/(C (C - 1)) sum_{c != d} D_cd
///
/// The kernel is sum_{i=0..4} exp(-|x - y|^2 / (b 2^(i-2))) with a b of its own for each pair of classes: the mean squared distance of the
/// pairs of different rows of both, detached. Samples are (n_s, F), (n_t, F); target labels are pseudo labels, constants. Labels come in
/// any order, and every class must be in both domains, as CAN's sampling of batches sees to. O((n_s + n_t)^2 F) for a few classes; host
/// only. With `Clipped` it is what CAN's code computes (see compat::clipped_ladder_profile).
/// @throws std::invalid_argument for empty domains, shapes that do not fit, labels that are not n_s and n_t or out of range, a class that
/// is missing in a domain.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(6, 3), z_t = Eigen::MatrixXd::Random(5, 3);
/// const std::vector<std::int64_t> y_s = {0, 1, 0, 1, 1, 0}, y_t = {1, 0, 0, 1, 1};
/// const contrastive_domain_discrepancy loss{y_s, y_t, 2};
/// const std::vector<double> d = loss.discrepancies(z_s, z_t); // (2, 2) row by row
/// assert(std::abs(loss(z_s, z_t) - ((d[0] + d[3]) / 2 - (d[1] + d[2]) / 2)) < 1e-14);
/// const contrastive_domain_discrepancy intra{y_s, y_t, 2, contrast::intra_class};
/// assert(std::abs(intra(z_s, z_t) - (d[0] + d[3]) / 2) < 1e-14);
/// @endcode
template <class Ladder = contrast_ladder>
struct contrastive_domain_discrepancy : two_sample_measure<contrastive_domain_discrepancy<Ladder>> {
  static constexpr const char* name = "contrastive_domain_discrepancy";

  label_span labels_s, labels_t;
  index_t classes;
  contrast terms;

  contrastive_domain_discrepancy(label_span of_source, label_span of_target, index_t class_count, contrast which = contrast::full)
      : labels_s(of_source), labels_t(of_target), classes(class_count), terms(which) {}

  /// D_cd for all pairs of classes, (C, C) row by row.
  template <matrix_like ZS, matrix_like ZT>
  std::vector<double> discrepancies(const ZS& zs, const ZT& zt) const {
    const auto source = const_view_of(zs), target = const_view_of(zt);
    require_two_samples(name, source, target);
    require_settings(source, target);
    workspace scratch;
    const exec::default_policy exec;
    const auto s = sorted<value_type_of<ZS>>(exec, source, labels_s, false, scratch);
    const auto t = sorted<value_type_of<ZS>>(exec, target, labels_t, false, scratch);
    std::vector<double> result;
    for (index_t c = 0; c < classes; ++c)
      for (index_t d = 0; d < classes; ++d) result.push_back(block<false>(exec, s, t, c, d, 1, scratch));
    return result;
  }

  template <class View>
  void require_settings(const View& source, const View& target) const {
    if (classes < 1) fail(name, "there must be at least one class");
    require_all_classes("source", labels_s, source.rows);
    require_all_classes("target", labels_t, target.rows);
  }
  template <bool Gradient, class Call, class T>
  double of_samples(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target,
                    const gradients<T>& out) const {
    const auto s = sorted<T>(call.execution, source, labels_s, Gradient && out.source.data, call.scratch);
    const auto t = sorted<T>(call.execution, target, labels_t, Gradient && out.target.data, call.scratch);
    const auto count = static_cast<double>(classes);
    double value = 0;
    for (index_t c = 0; c < classes; ++c)
      for (index_t d = 0; d < classes; ++d) {
        if (c != d && terms == contrast::intra_class) continue;
        const double factor = c == d ? 1 / count : -1 / (count * (count - 1));
        value += factor * block<Gradient>(call.execution, s, t, c, d, factor, call.scratch);
      }
    if constexpr (Gradient) {
      s.scatter(call.execution, out.source, out.scale, out.mode);
      t.scatter(call.execution, out.target, out.scale, out.mode);
    }
    return value;
  }

private:
  void require_all_classes(const char* domain, label_span labels, index_t rows) const {
    detail::require_labels(name, labels, rows, classes);
    for (index_t c = 0; c < classes; ++c)
      if (std::find(labels.begin(), labels.end(), c) == labels.end())
        fail(name, "class " + std::to_string(c) + " is missing in the " + domain + "; CAN's batches have every class in both domains");
  }

  template <class T, class Exec>
  detail::rows_by_class<T> sorted(const Exec& exec, const matrix_view<const T>& rows, label_span labels, bool with_gradient,
                                  workspace& scratch) const {
    auto result = detail::rows_by_class<T>::sorted(exec, rows, labels, classes, scratch);
    if (with_gradient) result.gradient = {scratch.template allocate_zero<T>(rows.rows * rows.cols), rows.rows, rows.cols};
    return result;
  }

  /// D_cd, and factor times its gradient, added.
  template <bool Gradient, class Exec, class T>
  double block(const Exec& exec, const detail::rows_by_class<T>& s, const detail::rows_by_class<T>& t, index_t c, index_t d, double factor,
               workspace& scratch) const {
    const workspace_mark mark(scratch);
    const detail::pooled_scale scale{static_cast<double>(s.count(c) + t.count(d))};
    const auto kernel = Ladder::kernel(scale);
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, std::remove_const_t<decltype(kernel)>>{
                                            {{s.of(s.rows, c)}, {t.of(t.rows, d)}}, kernel, s.of(s.gradient, c), t.of(t.gradient, d)});
    return engine::estimate_bound<Gradient, accumulator::plain>(
        exec, estimator::biased{}, problem.layers(), engine::estimate_rule<T>{name, static_cast<T>(factor), write_mode::accumulate},
        scratch);
  }
};
contrastive_domain_discrepancy(label_span, label_span, index_t)->contrastive_domain_discrepancy<>;
contrastive_domain_discrepancy(label_span, label_span, index_t, contrast)->contrastive_domain_discrepancy<>;

} // namespace dalib
