/// @file
/// The one customisation point through which losses with a network inside reach a tape.
#pragma once

#include "dalib/core/matrix_traits.hpp"

#include <type_traits>
#include <utility>

namespace dalib {

/// How a value `V` of a computation graph joins. Specialise it for a framework's variable with
/// - `using scalar`
/// - `static index_t rows(const V&)`, `static auto view(const V&)`: shape and read-only matrix_view of the value
/// - `static V concat_rows(const V&, const V&)`, `static V slice_rows(const V&, index_t first, index_t count)`
/// - `static V reverse(const V&, double coefficient)`: identity forwards, times -coefficient backwards
/// - `static V detach(const V&)`
/// - `static auto record(std::array<V, n>, f)`: one node; `f(views, gradients)` returns the value and fills one gradient matrix_view per
///   input (no data: not wanted); the node multiplies by the upstream gradient. What record returns is the loss's type. The views may lie
///   in any memory that has a dalib::backend, the gradients in the same: their type says which, and the measure runs there, by the memory's
///   default execution, or by the policy that `record` hands over as `f(views, gradients, policy)` (a stream of a device, a number of
///   threads)
/// - `static V transform(std::array<V, n>, index_t rows, index_t cols, forward, pull)`: one node of a rows x cols matrix. `forward(views,
/// out)`
///   writes it; `pull(views, upstream, gradients)`, called when the node's gradient is known, overwrites the gradient of each input that is
///   wanted with the upstream gradient pulled back.
///
/// A framework whose scalar type is a value of run time says `using scalar = void`; its `record` and `transform` call the functions, which
/// are generic, with views of the type that they find. In place of `view` with a type it has
/// - `static auto view(const V&)`: the shape alone, as a view whose elements nobody reads
/// - `template <class T> static matrix_view<const T> view_as(const V&)`, which throws for values of another type
/// - `static auto by_scalar(const V&, f)`: f(T()) with the value's scalar type T
///
/// - `static constexpr bool records = false` only for plain tensors, on which nothing is recorded and a loss is its value: Eigen's.
///
/// @code{.cpp}
/// using traits = graph_traits<Eigen::MatrixXd>;
/// const Eigen::MatrixXd a = Eigen::MatrixXd::Random(3, 2), b = Eigen::MatrixXd::Random(2, 2);
/// const Eigen::MatrixXd both = traits::concat_rows(a, b);
/// assert(traits::rows(both) == 5 && traits::slice_rows(both, 3, 2) == b && traits::reverse(a, 0.5) == a);
/// @endcode
template <class V, class Enable = void>
struct graph_traits;

/// @internal
/// The scalar type of an array of views, as a node's function gets them.
template <class Views>
using scalar_of_views = typename std::remove_cvref_t<Views>::value_type::value_type;

/// @internal
/// Where the elements of an array of views lie.
template <class Views>
using memory_of_views = typename std::remove_cvref_t<Views>::value_type::memory;

/// @internal
/// The view of a value whose scalar type is known to be `T` where it is one of run time.
template <class T, class V>
auto graph_view(const V& value) {
  if constexpr (requires { graph_traits<V>::template view_as<T>(value); })
    return graph_traits<V>::template view_as<T>(value);
  else
    return graph_traits<V>::view(value);
}

/// @internal
/// f(views) of values, in the scalar type of the first.
template <class F, class V, class... Others>
auto with_graph_views(const F& f, const V& first, const Others&... others) {
  if constexpr (std::is_void_v<typename graph_traits<V>::scalar>)
    return graph_traits<V>::by_scalar(first, [&](auto number) {
      using T = decltype(number);
      return f(graph_view<T>(first), graph_view<T>(others)...);
    });
  else
    return f(graph_traits<V>::view(first), graph_traits<V>::view(others)...);
}

} // namespace dalib
