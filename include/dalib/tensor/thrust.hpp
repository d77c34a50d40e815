/// @file
/// Tensors in the memory of a Thrust device system.
#pragma once

#include "dalib/core/sample.hpp"
#include "dalib/execution/thrust.hpp"
#include "dalib/tensor/eigen.hpp"

#include <thrust/device_ptr.h>
#include <thrust/device_vector.h>

#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib {

namespace detail {
/// to(i, j) = from(i, j).
template <class T>
struct copy_task {
  matrix_view<const T, device_memory> from;
  matrix_view<T, device_memory> to;
  DALIB_HD void operator()(index_t i) const { to(i / to.cols, i % to.cols) = from(i / to.cols, i % to.cols); }
};

/// `count` copies of a number in device memory. @throws device_error with the call's name.
template <class T>
::thrust::device_vector<T> device_filled(index_t count, T value = T(0)) {
  try {
    return ::thrust::device_vector<T>(static_cast<std::size_t>(count), value);
  } catch (const ::thrust::system_error& error) {
    throw device_error(std::string("thrust::device_vector: ") + error.what());
  } catch (const std::bad_alloc& error) {
    throw device_error(std::string("thrust::device_vector: ") + error.what());
  }
}

template <class A, class B>
void require_same_shape(const A& from, const B& to) {
  require_shapes(from.rows == to.rows && from.cols == to.cols, "copy", "both tensors must have the same shape", from, to);
}
} // namespace detail

/// Copies a host tensor into a device tensor of the same shape, whatever their strides. @throws std::invalid_argument for other shapes.
template <matrix_like Host, matrix_like Device>
void copy_to_device(const exec::thrust& exec, const Host& host, Device&& device) {
  using T = value_type_of<Host>;
  const matrix_view<const T> from = const_view_of(host);
  const matrix_view<T, device_memory> to = view_of(device);
  detail::require_same_shape(from, to);
  std::vector<T> packed(static_cast<std::size_t>(from.rows * from.cols));
  const matrix_view<T> rows(packed.data(), from.rows, from.cols);
  for (index_t i = 0; i < from.rows; ++i)
    for (index_t j = 0; j < from.cols; ++j) rows(i, j) = from(i, j);
  if (to.col_stride == 1 && to.row_stride == to.cols) return exec.copy_to_device(packed.data(), from.rows * from.cols, to.data);
  ::thrust::device_vector<T> staged = detail::device_filled<T>(from.rows * from.cols);
  T* elements = ::thrust::raw_pointer_cast(staged.data());
  exec.copy_to_device(packed.data(), from.rows * from.cols, elements);
  exec.run(to.rows * to.cols, detail::copy_task<T>{{elements, to.rows, to.cols}, to});
  exec.synchronise();
}

/// Copies a device tensor into a host tensor of the same shape, and waits for it. @throws std::invalid_argument for other shapes.
template <matrix_like Device, matrix_like Host>
void copy_to_host(const exec::thrust& exec, const Device& device, Host&& host) {
  using T = value_type_of<Device>;
  const matrix_view<const T, device_memory> from = const_view_of(device);
  const matrix_view<T> to = view_of(host);
  detail::require_same_shape(from, to);
  std::vector<T> packed(static_cast<std::size_t>(from.rows * from.cols));
  if (from.col_stride == 1 && from.row_stride == from.cols) {
    exec.copy_to_host(from.data, from.rows * from.cols, packed.data());
  } else {
    ::thrust::device_vector<T> staged = detail::device_filled<T>(from.rows * from.cols);
    T* rows = ::thrust::raw_pointer_cast(staged.data());
    exec.run(from.rows * from.cols, detail::copy_task<T>{from, {rows, from.rows, from.cols}});
    exec.copy_to_host(rows, from.rows * from.cols, packed.data());
  }
  const matrix_view<const T> rows(packed.data(), from.rows, from.cols);
  for (index_t i = 0; i < to.rows; ++i)
    for (index_t j = 0; j < to.cols; ++j) to(i, j) = rows(i, j);
}

/// An owning row-major matrix in device memory, on thrust::device_vector. Memory of other libraries is used in place, by
/// `matrix_view<T, device_memory>(pointer, rows, cols, row_stride, col_stride)`.
template <class T>
class device_matrix {
public:
  using value_type = T;

  device_matrix() = default;
  /// Zeros.
  device_matrix(index_t rows, index_t cols) : elements_(detail::device_filled<T>(rows * cols)), rows_(rows), cols_(cols) {}
  /// A copy of a host tensor.
  template <matrix_like M>
  requires std::is_same_v<memory_of<M>, host_memory>
  explicit device_matrix(const M& host) : device_matrix(const_view_of(host).rows, const_view_of(host).cols) {
    copy_to_device(exec::thrust{}, host, matrix_view<T, device_memory>(data(), rows_, cols_));
  }

  index_t rows() const { return rows_; }
  index_t cols() const { return cols_; }
  T* data() { return ::thrust::raw_pointer_cast(elements_.data()); }
  const T* data() const { return ::thrust::raw_pointer_cast(elements_.data()); }

  /// The elements, row by row.
  ::thrust::device_vector<T>& elements() { return elements_; }
  const ::thrust::device_vector<T>& elements() const { return elements_; }

  /// A copy in host memory; waits for what was run before.
  auto to_host() const {
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> result(rows_, cols_);
    copy_to_host(exec::thrust{}, matrix_view<const T, device_memory>(data(), rows_, cols_), result);
    return result;
  }

private:
  ::thrust::device_vector<T> elements_;
  index_t rows_ = 0;
  index_t cols_ = 0;
};

template <class M>
device_matrix(const M&) -> device_matrix<value_type_of<M>>;

template <class T>
struct matrix_traits<device_matrix<T>> {
  static constexpr bool owning = true;
  static auto view(device_matrix<T>& m) { return matrix_view<T, device_memory>(m.data(), m.rows(), m.cols()); }
  static auto view(const device_matrix<T>& m) { return matrix_view<const T, device_memory>(m.data(), m.rows(), m.cols()); }
  static auto like(const device_matrix<T>& m) { return device_matrix<T>(m.rows(), m.cols()); }
};

/// New tensors made like a plain device view are device matrices.
template <class T>
struct matrix_traits<matrix_view<T, device_memory>> {
  static constexpr bool owning = false;
  static matrix_view<T, device_memory> view(const matrix_view<T, device_memory>& v) { return v; }
  static auto like(const matrix_view<T, device_memory>& v) { return device_matrix<std::remove_const_t<T>>(v.rows, v.cols); }
};

/// A vector of numbers in device memory; what vector_in gives for it.
template <class T>
struct device_numbers : ::thrust::device_vector<T> {
  explicit device_numbers(std::size_t count, T value = T(0))
      : ::thrust::device_vector<T>(detail::device_filled(static_cast<index_t>(count), value)) {}

  T* data() { return ::thrust::raw_pointer_cast(::thrust::device_vector<T>::data()); }
  const T* data() const { return ::thrust::raw_pointer_cast(::thrust::device_vector<T>::data()); }
};
namespace detail {
/// A copy of a sample's weights on the host, none if it has none.
template <class T>
std::vector<T> host_weights(const sample<T, device_memory>& s) {
  std::vector<T> result(s.weights ? static_cast<std::size_t>(s.rows.rows) : 0);
  exec::thrust{}.copy_to_host(s.weights, static_cast<index_t>(result.size()), result.data());
  return result;
}
} // namespace detail

/// Every element must be finite. Copies the tensor to the host to look at it.
template <class T>
void require_finite(const char* measure, const char* which, const matrix_view<T, device_memory>& view) {
  Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> host(view.rows, view.cols);
  copy_to_host(exec::thrust{}, view, host);
  require_finite(measure, which, const_view_of(host));
}

/// A sample with weights in device memory, such as a thrust::device_vector. Looking at them waits for the device's default stream.
/// @throws std::invalid_argument if there is not one finite, non-negative weight per row or their sum is 0. O(n).
template <detail::unlayered M, class Weights>
requires matrix_like<M> && std::is_same_v<memory_of<M>, device_memory>
auto weighted(M&& rows, Weights&& weights) {
  using T = value_type_of<M>;
  static_assert(!detail::dies_with_elements<M>() && std::is_lvalue_reference_v<Weights>,
                "dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory");
  static_assert(std::is_convertible_v<decltype(weights.data()), ::thrust::device_ptr<const T>>,
                "dalib: weights of device tensors must be a thrust::device_vector of the rows' scalar type");
  sample<T, device_memory> result{const_view_of(rows), ::thrust::raw_pointer_cast(weights.data())};
  const index_t count = static_cast<index_t>(weights.size());
  if (count != result.rows.rows) require_weights(result.rows, result.weights, count);
  require_weights(result.rows, detail::host_weights(result).data(), count);
  return result;
}

/// Sum of a sample's weights; n without weights. Waits for the device if there are weights.
template <class T>
double total_weight(const sample<T, device_memory>& s) {
  const std::vector<T> weights = detail::host_weights(s);
  return total_weight(sample<T>{{nullptr, s.rows.rows, s.rows.cols}, s.weights ? weights.data() : nullptr});
}

} // namespace dalib
