/// @file
/// The one shape in which every tensor reaches the library: a trivially copyable strided 2-d view.
#pragma once

#include "dalib/config.hpp"

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace dalib {

/// Signed index type of the library.
using index_t = std::ptrdiff_t;

/// Where a tensor's elements live: the host's memory.
struct host_memory {};

/// Where a tensor's elements live: the memory of a Thrust device system.
struct device_memory {};

/// @internal
/// What the machine that works on `Memory` offers: engine/backend.hpp.
template <class Memory>
struct backend;

/// A strided view of a rows x cols matrix; element (i, j) is `data[i * row_stride + j * col_stride]`.
///
/// Rows are samples, columns are features. The view owns nothing and is trivially copyable, so tasks carry it by value to any
/// machine. `T` may be const. `Memory` says where the elements live; mixing memories does not compile.
///
/// @code{.cpp}
/// float numbers[6] = {1, 2, 3, 4, 5, 6};
/// const matrix_view<float> rows(numbers, 3, 2);                             // row by row
/// const matrix_view<float, host_memory> columns(numbers, 3, 2, 1, 3);       // the same memory column by column
/// const matrix_view<const float> last_two = rows.rows_from(1, 2);
/// assert(rows(1, 0) == 3 && columns(1, 0) == 2 && last_two(0, 1) == 4 && rows.transposed()(0, 1) == 3);
/// static_assert(!std::is_convertible_v<matrix_view<float, device_memory>, matrix_view<float, host_memory>>);
/// @endcode
template <class T, class Memory = host_memory>
struct matrix_view {
  using value_type = std::remove_const_t<T>;
  using element_type = T;
  using memory = Memory;

  T* data = nullptr;
  index_t rows = 0;
  index_t cols = 0;
  index_t row_stride = 0;
  index_t col_stride = 1;

  matrix_view() = default;

  /// A view of contiguous row-major elements.
  DALIB_HD matrix_view(T* elements, index_t row_count, index_t col_count)
      : data(elements), rows(row_count), cols(col_count), row_stride(col_count), col_stride(1) {}

  /// A view with both strides given, in elements.
  DALIB_HD matrix_view(T* elements, index_t row_count, index_t col_count, index_t stride_of_rows, index_t stride_of_cols)
      : data(elements), rows(row_count), cols(col_count), row_stride(stride_of_rows), col_stride(stride_of_cols) {}

  /// A row-major view of a span. @throws std::invalid_argument if the span has another size than row_count * col_count.
  matrix_view(std::span<T> elements, index_t row_count, index_t col_count) : matrix_view(elements.data(), row_count, col_count) {
    if (row_count < 0 || col_count < 0 || static_cast<index_t>(elements.size()) != row_count * col_count)
      DALIB_THROW(std::invalid_argument("matrix_view: a span of " + std::to_string(elements.size()) + " elements is not " +
                                        std::to_string(row_count) + " x " + std::to_string(col_count)));
  }

  DALIB_HD T& operator()(index_t row, index_t col) const { return data[row * row_stride + col * col_stride]; }

  /// Rows [first, first + count) as a view.
  DALIB_HD matrix_view rows_from(index_t first, index_t count) const {
    return {data + first * row_stride, count, cols, row_stride, col_stride};
  }

  /// The same elements as the transposed matrix.
  DALIB_HD matrix_view transposed() const { return {data, cols, rows, col_stride, row_stride}; }

#if defined(__CUDACC__)
#  pragma nv_diagnostic push
#  pragma nv_diag_suppress 554 // that a view of const elements is not converted to itself
#endif
  /// A view of mutable elements reads as a view of const ones.
  DALIB_HD operator matrix_view<const T, Memory>() const requires(!std::is_const_v<T>) {
    return {data, rows, cols, row_stride, col_stride};
  }
#if defined(__CUDACC__)
#  pragma nv_diagnostic pop
#endif
};

/// "n x F", for messages.
template <class T, class Memory>
std::string shape_of(const matrix_view<T, Memory>& view) {
  return std::to_string(view.rows) + " x " + std::to_string(view.cols);
}

} // namespace dalib
