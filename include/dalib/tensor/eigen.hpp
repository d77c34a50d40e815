/// @file
/// Eigen tensors: Matrix, Array, Map, Ref, Block of either, row- or column-major, const or not.
#pragma once

#include "dalib/core/eigen_core.hpp"
#include "dalib/core/matrix_traits.hpp"

#include <type_traits>

namespace dalib {

namespace detail {
/// Eigen types whose coefficients lie in memory with strides; expressions that compute their coefficients are not among them.
template <class M>
concept eigen_with_memory = std::is_base_of_v<Eigen::DenseBase<M>, M> &&
    static_cast<bool>(Eigen::internal::traits<M>::Flags& Eigen::DirectAccessBit);

template <class M>
inline constexpr bool eigen_owning = std::is_base_of_v<Eigen::PlainObjectBase<M>, M>;
} // namespace detail

/// Rows are samples, columns are features; a vector (n x 1) is n samples of one feature.
///
/// @code{.cpp}
/// Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> all(20, 6);
/// all.setRandom();
/// const auto features = all.leftCols(4);          // a block: rows stand apart
/// const Eigen::Map<const Eigen::MatrixXf> other(all.data(), 10, 4);
/// const mmd loss{kernel::gaussian{}};
/// assert(loss(features, other) == loss(Eigen::MatrixXf(features), Eigen::MatrixXf(other)));
/// @endcode
template <class M>
struct matrix_traits<M, std::enable_if_t<detail::eigen_with_memory<M>>> {
  using scalar = typename M::Scalar;
  static constexpr bool owning = detail::eigen_owning<M>;
  /// Whether a const object of this type still gives write access (Map, Ref and Block of mutable memory do).
  static constexpr bool writable = static_cast<bool>(Eigen::internal::traits<M>::Flags & Eigen::LvalueBit);

  static auto view(M& m) {
    if constexpr (writable)
      return matrix_view<scalar>{m.data(), m.rows(), m.cols(), row_stride(m), col_stride(m)};
    else
      return view(static_cast<const M&>(m));
  }
  static auto view(const M& m) { return matrix_view<const scalar>{m.data(), m.rows(), m.cols(), row_stride(m), col_stride(m)}; }

  static auto like(const M& m) {
    using plain = Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic, M::IsRowMajor ? Eigen::RowMajor : Eigen::ColMajor>;
    return plain(m.rows(), m.cols());
  }

private:
  static index_t row_stride(const M& m) { return M::IsRowMajor ? m.outerStride() : m.innerStride(); }
  static index_t col_stride(const M& m) { return M::IsRowMajor ? m.innerStride() : m.outerStride(); }
};

/// New tensors made like a plain view are row-major Eigen matrices.
template <class T>
struct matrix_traits<matrix_view<T, host_memory>> {
  static constexpr bool owning = false;
  static matrix_view<T> view(const matrix_view<T>& v) { return v; }
  static auto like(const matrix_view<T>& v) {
    return Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>(v.rows, v.cols);
  }
};

} // namespace dalib
