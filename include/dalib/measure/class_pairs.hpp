/// @file
/// Pairs of rows that count by class: their weights, and rows in the order of their labels.
#pragma once

#include "dalib/engine/pair/coefficients.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/two_sample_measure.hpp"
#include "dalib/simd/pack.hpp"
#include "dalib/simd/unroll.hpp"

#include <algorithm>
#include <utility>

namespace dalib::detail {

/// Rows sorted by class, with where each class begins.
template <class T>
struct rows_by_class {
  matrix_view<T> rows, gradient; ///< the gradient: no data where none is wanted
  index_t *order, *first;

  index_t count(index_t c) const { return first[c + 1] - first[c]; }
  matrix_view<T> of(const matrix_view<T>& all, index_t c) const { return all.data ? all.rows_from(first[c], count(c)) : all; }

  /// Rows of one class stay in their order. O(n F + C).
  template <class Exec>
  static rows_by_class sorted(const Exec& exec, const matrix_view<const T>& from, label_span labels, index_t classes, workspace& scratch) {
    rows_by_class result{{}, {}, scratch.template allocate<index_t>(from.rows), scratch.template allocate_zero<index_t>(classes + 1)};
    for (const std::int64_t label : labels) ++result.first[label + 1];
    for (index_t c = 0; c < classes; ++c) result.first[c + 1] += result.first[c];
    for (index_t i = 0; i < from.rows; ++i) result.order[result.first[labels[static_cast<std::size_t>(i)]]++] = i;
    std::copy_backward(result.first, result.first + classes, result.first + classes + 1); // each has moved on to the next one's place
    result.first[0] = 0;
    result.rows = scratch_matrix<T>(scratch, from.rows, from.cols);
    backend<host_memory>::for_each_entry(exec, from.rows, from.cols, [&](index_t row, index_t begin, index_t count) {
      const index_t place = result.order[row];
      for (index_t j = begin; j < begin + count; ++j) result.rows(row, j) = from(place, j);
    });
    return result;
  }

  /// Writes or adds the gradient's rows, times `scale`, where the rows came from.
  template <class Exec>
  void scatter(const Exec& exec, const matrix_view<T>& to, T scale, write_mode mode) const {
    if (to.data == nullptr) return;
    backend<host_memory>::for_each_entry(exec, to.rows, to.cols, [&](index_t row, index_t begin, index_t count) {
      const index_t place = order[row];
      for (index_t j = begin; j < begin + count; ++j) {
        const T value = scale * gradient(row, j);
        to(place, j) = mode == write_mode::accumulate ? to(place, j) + value : value;
      }
    });
  }
};

/// c(x, y) = + factor <w_x, w_y> within a domain, - across, for class weights w: a row of the source has its class's share in its class
/// alone, a row of the target has some in every class. So pairs of the source have an entry or 0, pairs across one entry, and only pairs
/// of the target a sum over the classes.
template <class T>
struct class_coefficients {
  const index_t* labels; ///< of the source's rows, in their order
  index_t sources, targets, classes;
  const T* share;     ///< of a source row in its class
  const T* of_target; ///< class by class, `stride` numbers each, zeros behind the last target
  index_t stride;
  T factor;
  bool in_order; ///< labels never fall

  /// Between classes, for `targets` rows: an odd number of registers, so that a row's classes are not all in the same cache sets.
  static index_t stride_for(index_t targets) { return ((targets + pack<T>::size - 1) / pack<T>::size / 2 * 2 + 1) * pack<T>::size; }

  /// out[l] = c(first + l, row) for l < count. O(count), for a row of the target and others O(count C).
  DALIB_ONE_COPY void fill(index_t first, index_t count, index_t row, T* out) const {
    const index_t border = std::clamp<index_t>(sources - first, 0, count);
    const index_t place = first - sources;
    if (row < sources) {
      const index_t own = labels[row];
      const T within = factor * share[own] * share[own], across = -factor * share[own];
      for (index_t l = 0; l < border; ++l) out[l] = labels[first + l] == own ? within : T(0);
      for (index_t l = border; l < count; ++l) out[l] = across * of_target[own * stride + place + l];
    } else {
      const T* const weights = of_target + (row - sources);
      for (index_t l = 0; l < border; ++l) {
        const index_t c = labels[first + l];
        out[l] = -factor * share[c] * weights[c * stride];
      }
      constexpr int at_once = 4;
      index_t l = border;
      for (; l + at_once * pack<T>::size <= count; l += at_once * pack<T>::size) within_target<at_once>(place + l, weights, out + l);
      for (; l + pack<T>::size <= count; l += pack<T>::size) within_target<1>(place + l, weights, out + l);
      for (; l < count; ++l) {
        T sum = 0;
        for (index_t c = 0; c < classes; ++c) sum += of_target[c * stride + place + l] * weights[c * stride];
        out[l] = factor * sum;
      }
    }
  }

  /// Of two blocks of the source whose labels are in order, those of the classes between the first of the one and the last of the other.
  std::pair<engine::joint_rows, engine::joint_rows> counted(engine::joint_rows a, engine::joint_rows b) const {
    if (a.first > b.first) {
      const auto [of_b, of_a] = counted(b, a);
      return {of_a, of_b};
    }
    if (!in_order || b.first + b.count > sources) return {a, b};
    index_t from = a.first + a.count, to = b.first;
    while (from > a.first && labels[from - 1] >= labels[b.first]) --from;
    while (to < b.first + b.count && labels[to] <= labels[a.first + a.count - 1]) ++to;
    return {{from, a.first + a.count - from}, {b.first, to - b.first}};
  }

private:
  template <int Registers>
  [[gnu::always_inline]] void within_target(index_t place, const T* weights, T* out) const {
    pack<T> sums[Registers];
    dalib::detail::unroll<Registers>([&](auto r) { sums[r] = pack<T>(0); });
    for (index_t c = 0; c < classes; ++c) {
      const pack<T> own(weights[c * stride]);
      dalib::detail::unroll<Registers>(
          [&](auto r) { sums[r] += own * pack<T>::load(of_target + c * stride + place + static_cast<index_t>(r) * pack<T>::size); });
    }
    dalib::detail::unroll<Registers>([&](auto r) { (pack<T>(factor) * sums[r]).store(out + static_cast<index_t>(r) * pack<T>::size); });
  }
};

} // namespace dalib::detail
