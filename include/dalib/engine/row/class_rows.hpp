/// @file
/// Class scores as rows: of a matrix (N, C), or of a tensor (N, C, d1, ..., dK) whose second axis counts classes.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/check.hpp"
#include "dalib/core/matrix_traits.hpp"

#include <type_traits>

namespace dalib {

/// Number of positions that each sample has scores for: the product of the axes after the second, 1 for a matrix. A tensor type has more
/// than one by `static index_t positions(const M&)` in its matrix_traits.
template <class M>
index_t positions_of(const M& m) {
  if constexpr (requires { matrix_traits<M>::positions(m); })
    return matrix_traits<M>::positions(m);
  else
    return 1;
}

/// Scores of C classes; one row for each sample and position, in that order. Element (n, c, p) of the tensor is element (n, c P + p) of its
/// view as (N, C P).
///
/// @code{.cpp}
/// const double scores[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; // (N, C, d1) = (2, 3, 2)
/// const class_rows<const double> rows{{scores, 2, 6}, 2};
/// assert(rows.rows() == 4 && rows.classes() == 3);
/// assert(rows.row(1)[0] == 1 && rows.row(1)[rows.class_stride()] == 3); // sample 0, position 1: scores 1, 3, 5
/// @endcode
template <class T, class Memory = host_memory>
struct class_rows {
  using value_type = std::remove_const_t<T>;

  matrix_view<T, Memory> tensor;
  index_t positions = 1;

  DALIB_HD index_t rows() const { return tensor.rows * positions; }
  DALIB_HD index_t classes() const { return tensor.cols / positions; }
  /// Distance of the scores of two neighbouring classes.
  DALIB_HD index_t class_stride() const { return positions * tensor.col_stride; }
  DALIB_HD T* row(index_t i) const {
    if (positions == 1) return tensor.data + i * tensor.row_stride;
    return tensor.data + i / positions * tensor.row_stride + i % positions * tensor.col_stride;
  }

  /// A tensor of the same shape (such as the gradient) read in the same way.
  template <class U>
  DALIB_HD class_rows<U, Memory> like(const matrix_view<U, Memory>& other) const {
    return {other, positions};
  }
};

/// Read-only class rows of any tensor.
template <class M>
auto class_rows_of(const M& m) {
  return class_rows<const value_type_of<M>, memory_of<M>>{const_view_of(m), positions_of(m)};
}

/// What a measure of several tensors asks of their types and of its execution policy; one sentence for each that is missing. `Scalar` and
/// `Memory` are those of the gradients.
template <class Scalar, class Memory, class Exec, class... Tensors>
constexpr void require_tensor_types() {
  require_execution<Exec, Memory>();
  static_assert((std::is_same_v<memory_of<Tensors>, Memory> && ...),
                "dalib: all tensors and gradients must be in the same memory, of the host or of the device");
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>, "dalib: tensors must hold float or double");
  static_assert((std::is_same_v<value_type_of<Tensors>, Scalar> && ...), "dalib: all tensors and gradients must have the same scalar type");
}

/// Two tensors of class scores of the same samples must have the same shape, with at least one row and one class.
template <class T, class Memory>
void require_same_scores(const char* measure, const class_rows<T, Memory>& a, const class_rows<T, Memory>& b) {
  require_shapes(a.tensor.rows == b.tensor.rows && a.tensor.cols == b.tensor.cols && a.positions == b.positions, measure,
                 "both tensors of class scores of the same samples must have the same shape", a.tensor, b.tensor);
  require_shapes(a.tensor.rows > 0 && a.tensor.cols > 0, measure, "there must be at least one sample and one class", a.tensor, b.tensor);
}

} // namespace dalib
