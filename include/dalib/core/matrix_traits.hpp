/// @file
/// How a tensor library joins: specialise matrix_traits, and every measure accepts its tensors.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <concepts>
#include <type_traits>
#include <utility>

namespace dalib {

/// Customisation point: a tensor type `M` (without const or reference) joins by a specialisation with
/// - `static auto view(M&)` and `static auto view(const M&)`, returning a matrix_view that shares the tensor's memory,
/// - `static auto like(const M&)`, returning a new owning tensor of the same shape, for gradients that the library allocates,
/// - `static constexpr bool owning`: whether a temporary of type `M` takes its elements with it.
///
/// `Enable` is there for specialisations on a whole family of types.
///
/// @code{.cpp}
/// struct table {
///   std::vector<float> cells; // row by row
///   dalib::index_t rows, columns;
/// };
/// template <>
/// struct dalib::matrix_traits<table> {
///   static constexpr bool owning = true;
///   static auto view(table& t) { return matrix_view<float>(t.cells.data(), t.rows, t.columns); }
///   static auto view(const table& t) { return matrix_view<const float>(t.cells.data(), t.rows, t.columns); }
///   static table like(const table& t) { return {std::vector<float>(t.cells.size()), t.rows, t.columns}; }
/// };
/// static_assert(matrix_like<table>);
/// const table zs{{0, 1, 2, 3}, 2, 2}, zt{{1, 1, 3, 3}, 2, 2};
/// const auto [value, gs, gt] = value_and_gradient(mmd{kernel::linear{}, estimator::biased{}}, zs, zt);
/// assert(std::abs(value - 1) < 1e-6f && std::abs(gs.cells[0] + 1) < 1e-6f); // means (1, 2) and (2, 2)
/// @endcode
template <class M, class Enable = void>
struct matrix_traits {};

/// A view is its own view. New tensors made like it are defined by the tensor backend that is included (Eigen by default).
template <class T, class Memory>
struct matrix_traits<matrix_view<T, Memory>> {
  static constexpr bool owning = false;
  static matrix_view<T, Memory> view(const matrix_view<T, Memory>& v) { return v; }
};

/// A tensor that the library can read: rows are samples, columns are features.
template <class M>
concept matrix_like = requires(M& m) {
  matrix_traits<std::remove_cvref_t<M>>::view(m);
};

/// The view of any matrix_like.
template <class M>
auto view_of(M&& m) {
  static_assert(matrix_like<M>, "dalib: this type is not a tensor that dalib knows. Evaluate expressions into a matrix first, include the "
                                "tensor's header (dalib/xtensor.hpp ...), pass a dalib::matrix_view, or specialise dalib::matrix_traits.");
  return matrix_traits<std::remove_cvref_t<M>>::view(m);
}

/// The type of the view of `M`, its value type, its memory.
template <class M>
using view_type = decltype(view_of(std::declval<M&>()));
template <class M>
using value_type_of = typename view_type<M>::value_type;
template <class M>
using memory_of = typename view_type<M>::memory;

/// The same elements, read-only.
template <class M>
matrix_view<const value_type_of<M>, memory_of<M>> const_view_of(const M& m) {
  return view_of(m);
}

} // namespace dalib
