/// @file
/// xtensor tensors: xarray, xtensor, adaptors and strided views, n-dimensional ones flattened as (minibatch, everything else).
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_traits.hpp"

#if __has_include(<xtensor/containers/xarray.hpp>)
#  include <xtensor/containers/xadapt.hpp>
#  include <xtensor/containers/xarray.hpp>
#  include <xtensor/containers/xtensor.hpp>
#  include <xtensor/views/xstrided_view.hpp>
#  include <xtensor/views/xview.hpp>
#else
#  include <xtensor/xadapt.hpp>
#  include <xtensor/xarray.hpp>
#  include <xtensor/xstrided_view.hpp>
#  include <xtensor/xtensor.hpp>
#  include <xtensor/xview.hpp>
#endif

#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

namespace dalib {

namespace detail {
template <class M>
concept xtensor_with_memory = std::is_base_of_v<xt::xexpression<M>, M> && requires(M& m) {
  m.strides();
  m.data();
  m.data_offset();
};

template <class M>
inline constexpr bool xtensor_owning = std::is_base_of_v<xt::xcontainer_semantic<M>, M> && !requires(const M& m) {
  m.expression();
};

/// Strides of an n-d tensor read as (first axis, all others). @throws std::invalid_argument if the other axes have no common stride.
template <class M>
matrix_view<const typename M::value_type> flattened(const M& m, const typename M::value_type* data) {
  const auto& shape = m.shape();
  const auto& strides = m.strides();
  const std::size_t dimension = m.dimension();
  if (dimension == 0) fail("xtensor", "a scalar is not a sample: at least one dimension is needed");
  index_t cols = 1, col_stride = 1;
  for (std::size_t axis = dimension; axis-- > 1;) {
    const index_t extent = static_cast<index_t>(shape[axis]);
    if (extent == 1) continue; // xtensor gives such axes stride 0
    if (cols == 1)
      col_stride = static_cast<index_t>(strides[axis]);
    else if (static_cast<index_t>(strides[axis]) != col_stride * cols && extent > 1)
      fail("xtensor", "a tensor of dimension " + std::to_string(dimension) +
                          " can be read as (minibatch, *) only if its trailing axes are contiguous in row-major order; evaluate it into a "
                          "row-major xt::xarray first");
    cols *= extent;
  }
  return {data, static_cast<index_t>(shape[0]), cols, static_cast<index_t>(strides[0]), col_stride};
}
} // namespace detail

/// The first axis counts samples; the others are flattened in row-major order. A 2-d tensor may have any strides.
///
/// @code{.cpp}
/// const xt::xarray<double> images = xt::ones<double>({8, 3, 4, 4}); // minibatch, channels, height, width: 8 x 48
/// const xt::xtensor<double, 2> features = xt::zeros<double>({6, 48});
/// const auto [value, g_images, g_features] = value_and_gradient(mmd{kernel::linear{}, estimator::biased{}}, images, features);
/// assert(std::abs(value - 48) < 1e-12 && g_images.dimension() == 4);
/// @endcode
template <class M>
struct matrix_traits<M, std::enable_if_t<detail::xtensor_with_memory<M>>> {
  using scalar = typename M::value_type;
  static constexpr bool owning = detail::xtensor_owning<M>;

  static auto view(M& m) {
    using element = std::remove_reference_t<decltype(*m.data())>;
    const auto read = detail::flattened(m, m.data() + m.data_offset());
    return matrix_view<element>{m.data() + m.data_offset(), read.rows, read.cols, read.row_stride, read.col_stride};
  }
  static auto view(const M& m) { return detail::flattened(m, m.data() + m.data_offset()); }

  /// Product of the axes after the second: the positions of a tensor (minibatch, classes, d1, ..., dK).
  static index_t positions(const M& m) {
    index_t count = 1;
    for (std::size_t axis = 2; axis < m.dimension(); ++axis) count *= static_cast<index_t>(m.shape()[axis]);
    return count > 0 ? count : 1;
  }

  /// An xarray of the same shape, row-major.
  static auto like(const M& m) {
    std::vector<std::size_t> shape(m.shape().begin(), m.shape().end());
    return xt::xarray<scalar>(shape);
  }
};

} // namespace dalib
