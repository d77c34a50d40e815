/// @file
/// Minimum class confusion.
#pragma once

#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/class_sums_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dalib {

namespace detail {

/// Weight 1 + e^-H of rows whose softmax is in p.
template <class V, class T>
DALIB_HD V certainty_weight(const engine::class_column<V>& p, const engine::class_column<V>& gap, const engine::softmax_summary<V>& summary,
                            T offset) {
  using std::exp;
  return V(1) + exp(-engine::entropy_of(p, gap, summary, offset));
}

/// Leaves w p in column 0 and w p (1 - p) in column 1.
template <class T, class Memory>
struct confusion_sums_task {
  class_rows<const T, Memory> scores;
  T sharpness, offset;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), gap = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, gap, V(sharpness));
    const V weight = certainty_weight(p, gap, summary, offset);
    for (index_t c = 0; c < p.classes; ++c) {
      const V share = weight * p[c];
      gap.set(c, share * engine::complement_of(p, summary, c));
      p.set(c, share);
    }
  }
};

/// Gradient of a register of rows. Class c has 1/(C sum w p) and its confusion in the table.
template <class T, class Memory>
struct confusion_gradient_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  T sharpness, offset;
  const T* table;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(scores, group.first, group.count, p);
    const auto summary = engine::softmax_with_gaps(p, slope, V(sharpness));
    const V weight = certainty_weight(p, slope, summary, offset);
    const T* const confusion = table + p.classes;
    for (index_t c = 0; c < p.classes; ++c) slope.set(c, V(table[c]) * ((engine::complement_of(p, summary, c) - V(confusion[c])) - p[c]));
    engine::pull_softmax(p, weight * V(out.scale * sharpness), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }
};

} // namespace detail

/// What minimum_class_confusion is made of, for looking at.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = Eigen::MatrixXd::Random(6, 3);
/// const class_confusion seen = confusion_of(logits);
/// double off_diagonal = 0;
/// for (int j = 0; j < 3; ++j)
///   for (int k = 0; k < 3; ++k) off_diagonal += j == k ? 0 : seen.confusion[static_cast<std::size_t>(3 * j + k)];
/// assert(std::abs(off_diagonal / 3 - minimum_class_confusion{}(logits)) < 1e-14);
/// @endcode
struct class_confusion {
  std::vector<double> weights;   ///< of the samples, with sum n
  std::vector<double> confusion; ///< (C, C) row by row; every row has sum 1
};

/// Minimum class confusion (MCC, Jin et al. 2020, eq. 4-7) of p = softmax(logits / temperature):
///
///     1/C sum_{j != k} M_jk / sum_l M_jl,   M = sum_i w_i p_i p_i',   w_i proportional to 1 + exp(-H(p_i))
///
/// The weights are detached. Since every p sums to 1, row j of M has the sum R_j = sum_i w_i p_ij, and its part off the diagonal is
/// O_j = sum_i w_i p_ij (1 - p_ij): value and gradient are found from these alone, in O(n C) instead of O(n C^2), and 1 - p comes from the
/// other classes, so a nearly perfect prediction still has a value and a gradient. A class that no sample has any share of counts as wholly
/// confused, the limit. Logits are (n, C), or (n, C, d1, ..., dK) as xtensor tensors.
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, a temperature that is not positive, a negative offset.
///
/// @code{.cpp}
/// const Eigen::MatrixXd clear = 9 * Eigen::MatrixXd::Identity(3, 3), unclear = Eigen::MatrixXd::Zero(4, 3);
/// assert(minimum_class_confusion{}(clear) < 0.2 && std::abs(minimum_class_confusion{}(unclear) - 2.0 / 3) < 1e-15);
/// @endcode
struct minimum_class_confusion : score_measure<minimum_class_confusion> {
  static constexpr const char* name = "minimum_class_confusion";

  double temperature;
  double offset;

  /// @param softening  `temperature`; 2.5 in the paper and its code.
  /// @param away  `offset`: what is added to p inside the logarithm of H; 0 as in the paper, 1e-5 in its code.
  explicit minimum_class_confusion(double softening = 2.5, double away = 0) : temperature(softening), offset(away) {}

  void require_settings() const {
    detail::require_positive(name, "temperature", temperature);
    detail::require_not_negative(name, "offset", offset);
  }
  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    const index_t classes = rows.classes();
    const T sharpness = static_cast<T>(1 / temperature), away = static_cast<T>(offset);
    const auto value = [&](const auto& sums, double* table) {
      // Where a class has next to no share its factor is held below what T can hold; the share that it is multiplied by is as small.
      const double least = 4 * static_cast<double>(std::numeric_limits<T>::min());
      double total = 0;
      for (index_t c = 0; c < classes; ++c) {
        const double all = sums[static_cast<std::size_t>(c)], off = sums[static_cast<std::size_t>(classes + c)];
        const double confusion = all > 0 ? off / all : (classes > 1 ? 1.0 : 0.0);
        table[c] = 1 / (static_cast<double>(classes) * std::max(all, least));
        table[classes + c] = confusion;
        total += confusion / static_cast<double>(classes);
      }
      return total;
    };
    return detail::of_class_sums<Gradient, T>(
        exec, rows, out,
        detail::class_sums_loss{2, 2 * classes, detail::confusion_sums_task<T, Memory>{rows, sharpness, away}, value,
                                detail::confusion_gradient_task<T, Memory>{rows, out, sharpness, away, nullptr}},
        scratch);
  }
};

/// Weights of the samples and confusion of the classes as minimum_class_confusion with these settings sees them. O(n C^2), on the host.
template <matrix_like A>
class_confusion confusion_of(const A& logits, const minimum_class_confusion& loss = minimum_class_confusion{}) {
  loss.require_settings();
  const auto scores = const_view_of(logits);
  const auto n = static_cast<std::size_t>(scores.rows), classes = static_cast<std::size_t>(scores.cols);
  require_shapes(n > 0 && classes > 0, loss.name, "there must be at least one sample and one class", scores, scores);
  class_confusion result{std::vector<double>(n), std::vector<double>(classes * classes)};
  std::vector<double> p(classes * n);
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double* const row = p.data() + i * classes;
    for (std::size_t c = 0; c < classes; ++c)
      row[c] = static_cast<double>(scores(static_cast<index_t>(i), static_cast<index_t>(c))) / loss.temperature;
    const engine::class_column<double> column{row, 1, scores.cols};
    engine::softmax_in_place(column);
    double entropy = 0;
    for (std::size_t c = 0; c < classes; ++c)
      if (row[c] > 0) entropy -= row[c] * std::log(row[c] + loss.offset);
    total += result.weights[i] = 1 + std::exp(-entropy);
  }
  for (std::size_t i = 0; i < n; ++i) {
    result.weights[i] *= static_cast<double>(n) / total;
    const double* const row = p.data() + i * classes;
    for (std::size_t j = 0; j < classes; ++j)
      for (std::size_t k = 0; k < classes; ++k) result.confusion[j * classes + k] += result.weights[i] * row[j] * row[k];
  }
  for (std::size_t j = 0; j < classes; ++j) {
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += result.confusion[j * classes + k];
    for (std::size_t k = 0; k < classes; ++k) result.confusion[j * classes + k] /= sum > 0 ? sum : 1;
  }
  return result;
}

} // namespace dalib
