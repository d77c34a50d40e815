/// @file
/// Whether tensors share elements: a gradient written over what is still read would be wrong in silence.
#pragma once

#include "dalib/core/check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <utility>

namespace dalib {

/// @internal
/// Where a view's elements lie: lines of elements at equal distance, lines at equal distance. Nothing is read, so the memory may be a
/// device's.
class element_grid {
public:
  template <class T, class Memory>
  element_grid(const matrix_view<T, Memory>& view) // NOLINT: every view is one
      : base_(reinterpret_cast<std::intptr_t>(view.data)), size_(sizeof(T)), rows_(view.rows), cols_(view.cols) {
    if (view.data == nullptr || view.rows <= 0 || view.cols <= 0) return;
    lines_[0] = along(view.cols, view.col_stride);
    lines_[1] = along(view.rows, view.row_stride);
    if (lines_[0].step > lines_[1].step) std::swap(lines_[0], lines_[1]);
    if (lines_[1].count > 1 && lines_[1].step == lines_[0].count * lines_[0].step)
      lines_ = {{lines_[0].count * lines_[1].count, lines_[0].step}, {1, 0}}; // one line without gaps between its parts
  }

  bool empty() const { return lines_[0].count == 0; }
  std::string shape() const { return std::to_string(rows_) + " x " + std::to_string(cols_); }

  /// Whether two places of the view are the same element. O(log of the strides).
  bool repeats() const {
    if (repeats_) return true;
    const auto [inner, outer] = lines_;
    if (inner.count <= 1 || outer.count <= 1 || outer.step >= inner.count * inner.step) return false;
    const std::intptr_t common = std::gcd(inner.step, outer.step);
    return outer.step / common < inner.count && inner.step / common < outer.count;
  }

  /// Whether the views have an element in common. Views that lie apart cost two comparisons; interleaved views, such as columns of one
  /// matrix, O(1) for equal strides. For others, lines are compared one by one; if these are too many, the answer is yes.
  bool overlaps(const element_grid& other) const {
    if (empty() || other.empty() || end() <= other.base_ || other.end() <= base_) return false;
    if ((other.base_ - base_) % size_ != 0) return true;
    if (lines_[0].step == other.lines_[0].step && lines_[1].step == other.lines_[1].step) return overlaps_in_step(other);
    return lines_[1].count < other.lines_[1].count ? crosses(other) : other.crosses(*this);
  }

private:
  struct run {
    index_t count = 0;
    std::intptr_t step = 0; ///< in bytes
  };
  struct run_pair {
    run inner, outer;
    run& operator[](int i) { return i == 0 ? inner : outer; }
    const run& operator[](int i) const { return i == 0 ? inner : outer; }
  };
  static constexpr index_t most_comparisons = index_t{1} << 20;

  run along(index_t count, index_t stride) {
    const std::intptr_t step = stride * size_;
    repeats_ = repeats_ || (count > 1 && step == 0);
    if (count == 1 || step == 0) return {1, 0};
    if (step > 0) return {count, step};
    base_ += (count - 1) * step;
    return {count, -step};
  }
  static std::intptr_t length(const run& one) { return (one.count - 1) * one.step; }
  std::intptr_t end() const { return base_ + length(lines_[0]) + length(lines_[1]) + size_; }

  /// i inner + j outer = distance for differences i and j of places in the two views.
  bool overlaps_in_step(const element_grid& other) const {
    const std::intptr_t distance = other.base_ - base_, inner = lines_[0].step, outer = lines_[1].step;
    const auto inner_hits = [&](std::intptr_t rest) {
      return rest >= -length(other.lines_[0]) && rest <= length(lines_[0]) && (inner == 0 ? rest == 0 : rest % inner == 0);
    };
    if (outer == 0) return inner_hits(distance);
    // Only these j leave a rest in the range of i.
    const std::intptr_t first = std::max((distance - length(lines_[0])) / outer - 1, -(other.lines_[1].count - 1));
    const std::intptr_t last = std::min((distance + length(other.lines_[0])) / outer + 1, lines_[1].count - 1);
    for (std::intptr_t j = first; j <= last; ++j)
      if (inner_hits(distance - j * outer)) return true;
    return false;
  }

  /// Whether any of these lines meets any of the other's.
  bool crosses(const element_grid& other) const {
    index_t comparisons = 0;
    for (index_t i = 0; i < lines_[1].count; ++i) {
      const std::intptr_t from = base_ + i * lines_[1].step, to = from + length(lines_[0]);
      const std::intptr_t step = other.lines_[1].step;
      index_t first = 0, last = other.lines_[1].count - 1;
      if (step > 0) {
        first = std::max<index_t>(first, (from - other.base_ - length(other.lines_[0])) / step);
        last = std::min<index_t>(last, (to - other.base_) / step);
      }
      for (index_t j = first; j <= last; ++j) {
        if (++comparisons > most_comparisons) return true;
        if (lines_meet({from, lines_[0]}, {other.base_ + j * step, other.lines_[0]})) return true;
      }
    }
    return false;
  }

  struct line {
    std::intptr_t first;
    run places;
  };
  /// Whether two arithmetic progressions have a member in common. O(log of the steps).
  static bool lines_meet(const line& a, const line& b) {
    const std::intptr_t low = std::max(a.first, b.first);
    const std::intptr_t high = std::min(a.first + length(a.places), b.first + length(b.places));
    if (low > high) return false;
    if (a.places.step == 0) return b.places.step == 0 || (a.first - b.first) % b.places.step == 0;
    if (b.places.step == 0) return (b.first - a.first) % a.places.step == 0;
    // a.first + i a.step = b.first (mod b.step): the smallest such place that is not below `low`.
    const std::intptr_t common = std::gcd(a.places.step, b.places.step), modulus = b.places.step / common;
    if ((b.first - a.first) % common != 0) return false;
    const std::intptr_t i = positive((b.first - a.first) / common % modulus * inverse(a.places.step / common % modulus, modulus), modulus);
    const std::intptr_t period = a.places.step * modulus, meeting = a.first + i * a.places.step;
    return meeting + positive_up(low - meeting, period) <= high;
  }
  static std::intptr_t positive(std::intptr_t x, std::intptr_t modulus) { return (x % modulus + modulus) % modulus; }
  /// The smallest multiple of `period` that is not below x.
  static std::intptr_t positive_up(std::intptr_t x, std::intptr_t period) { return x + positive(-x, period); }
  static std::intptr_t inverse(std::intptr_t x, std::intptr_t modulus) {
    std::intptr_t a = x, b = modulus, u = 1, v = 0;
    while (b != 0) {
      const std::intptr_t quotient = a / b;
      a = std::exchange(b, a - quotient * b);
      u = std::exchange(v, u - quotient * v);
    }
    return u;
  }

  std::intptr_t base_;
  std::intptr_t size_;
  index_t rows_, cols_;
  run_pair lines_; ///< the inner ones have the smaller step
  bool repeats_ = false;
};

/// Throws std::invalid_argument unless what a measure writes lies apart from all that it reads and from what else it writes, and no element
/// of it stands twice. Tensors without data, which are not wanted, are left out. Views of one buffer are fine as long as no element is in
/// two of them. Nothing is read or written; a few nanoseconds for tensors in memory of their own.
inline void require_apart(const char* measure, std::span<const element_grid> read, std::span<const element_grid> written) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    const element_grid& one = written[i];
    if (one.empty()) continue;
    if (one.repeats()) fail(measure, "a gradient (" + one.shape() + ") must have an element of its own for each place");
    for (const element_grid& input : read)
      if (one.overlaps(input))
        fail(measure, "a gradient (" + one.shape() + ") must not share memory with an input (" + input.shape() + "), which is still read");
    for (std::size_t j = 0; j < i; ++j)
      if (one.overlaps(written[j]))
        fail(measure, "gradients (" + written[j].shape() + " and " + one.shape() + ") must not share memory with each other");
  }
}
inline void require_apart(const char* measure, std::initializer_list<element_grid> read, std::initializer_list<element_grid> written) {
  require_apart(measure, std::span(read.begin(), read.size()), std::span(written.begin(), written.size()));
}

} // namespace dalib
