/// @file
/// Batch nuclear norm maximisation.
#pragma once

#include "dalib/engine/row/softmax.hpp"
#include "dalib/measure/inverse_root.hpp"
#include "dalib/measure/score_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

namespace dalib {

namespace detail {

/// Leaves the softmax of a register of rows in `kept`.
template <class T>
struct keep_predictions_task {
  class_rows<const T> scores;
  class_rows<T> kept;

  template <class V>
  void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(scores, group.first, group.count, p);
    engine::softmax_in_place(p);
    engine::store_rows(p, group.first, group.count, kept, write_mode::overwrite);
  }
};

/// Gradient of a register of rows from their predictions and the slopes with respect to these.
template <class T>
struct given_slopes_task {
  class_rows<const T> predictions, slopes;
  class_rows<T> to;
  T factor;
  write_mode mode;

  template <class V>
  void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(predictions, group.first, group.count, p);
    engine::load_rows(slopes, group.first, group.count, slope);
    engine::pull_softmax(p, V(factor), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, to, mode);
  }
};

/// The nuclear norm, and its gradient U V' over the singular values that are not 0.
template <class T>
struct nuclear_norm_and_slopes {
  double norm;
  matrix_view<const T> slopes;
};

/// By the root of P'P, or PP', in double: the norm is its trace, and U V' = P (P'P)^(-1/2). With T float that has all of T's digits unless
/// P is nearly singular; then, and in double, by the singular values. The last product is in float where eigenvalues are within a factor
/// of 256: a sum in float loses as many more digits as singular values differ by.
template <class T, class Exec>
nuclear_norm_and_slopes<T> nuclear_norm_of(const scratch_algebra<Exec>& work, const matrix_view<const T>& p, bool with_slopes) {
  const const_real_matrix wide = copy_as<double>(work.exec, p, work.scratch);
  const auto in_t = [&](const const_real_matrix& slopes) { return copy_as<T>(work.exec, slopes, work.scratch); };
  if constexpr (std::is_same_v<T, float>) {
    const bool tall = p.rows >= p.cols;
    const real_matrix gram = tall ? work.product(wide.transposed(), wide) : work.product(wide, wide.transposed());
    if (const auto root = root_of(work, gram, with_slopes)) {
      if (!with_slopes) return {root->trace, {}};
      if (root->spread > 256) return {root->trace, in_t(tall ? work.product(wide, root->inverse) : work.product(root->inverse, wide))};
      const matrix_view<const float> inverse = in_t(root->inverse);
      const auto slopes = scratch_matrix<float>(work.scratch, p.rows, p.cols);
      engine::product<Exec, float, host_memory>(work.exec, tall ? p : inverse, tall ? inverse : p, slopes, {1, 0}, work.scratch);
      return {root->trace, slopes};
    }
  }
  const thin_svd svd = svd_of(work, wide);
  const double norm = std::accumulate(svd.values, svd.values + svd.size(), 0.0);
  if (!with_slopes) return {norm, {}};
  return {norm, in_t(outer_product(work, svd, svd.rank()))};
}

} // namespace detail

/// What a batch nuclear norm is divided by.
enum class nuclear_normalisation {
  rows,           ///< n, as in the paper
  singular_values ///< min(n, C), as in its code
};

/// Batch nuclear norm maximisation (BNM, Cui et al. 2020, eq. 6), to be minimised:
///
///     -|P|_* / n,   P = softmax of the logits (n, C), |P|_* the sum of its singular values
///
/// It is smallest where predictions are sure and various. The gradient with respect to P is that of the nuclear norm, U V' / n over the
/// singular values that are not 0 up to rounding, so that equal rows have one too. A tensor (n, C, d1, ..., dK) is n d1 ... dK rows. O(n C
/// min(n, C)), by Eigen, in double (of float logits the last product may be in float); host only. fast_batch_nuclear_norm needs none of it.
/// @throws std::invalid_argument for an empty tensor or a gradient of another shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = 1e3 * Eigen::MatrixXd::Identity(4, 4), same = Eigen::MatrixXd::Zero(4, 4);
/// assert(std::abs(batch_nuclear_norm{}(sure) + 1) < 1e-12);   // P = I
/// assert(std::abs(batch_nuclear_norm{}(same) + 0.25) < 1e-12); // one singular value, 1
/// const Eigen::MatrixXd many = Eigen::MatrixXd::Random(8, 4);
/// const batch_nuclear_norm mean_value{nuclear_normalisation::singular_values};
/// assert(std::abs(mean_value(many) - 2 * batch_nuclear_norm{}(many)) < 1e-14); // divided by 4, not by 8
/// @endcode
struct batch_nuclear_norm : score_measure<batch_nuclear_norm> {
  static constexpr const char* name = "batch_nuclear_norm";

  nuclear_normalisation normalisation;

  explicit batch_nuclear_norm(nuclear_normalisation by = nuclear_normalisation::rows) : normalisation(by) {}

  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    static_assert(std::is_same_v<Memory, host_memory>,
                  "dalib: batch_nuclear_norm works on the host; fast_batch_nuclear_norm on devices too");
    const index_t n = rows.rows(), classes = rows.classes();
    const detail::scratch_algebra work(exec, scratch);
    const class_rows<T> kept{detail::scratch_matrix<T>(scratch, n, classes)};
    engine::visit_groups<T>(exec, engine::row_problem{n, 0, 1, classes}, detail::keep_predictions_task<T>{rows, kept}, scratch);
    const matrix_view<const T> predictions = kept.tensor;
    const bool wanted = Gradient && out.target.data != nullptr;
    const auto [norm, slopes] = detail::nuclear_norm_of<T>(work, predictions, wanted);
    const double divisor = static_cast<double>(normalisation == nuclear_normalisation::rows ? n : std::min(n, classes));
    if (wanted) {
      const T factor = static_cast<T>(-static_cast<double>(out.scale) / divisor);
      engine::visit_groups<T>(exec, engine::row_problem{n, 0, 2, classes},
                              detail::given_slopes_task<T>{{predictions}, {slopes}, rows.like(out.target), factor, out.mode}, scratch);
    }
    return static_cast<T>(-norm / divisor);
  }
};

} // namespace dalib
