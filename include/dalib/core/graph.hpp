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
///   input (no data: not wanted); the node multiplies by the upstream gradient. What record returns is the loss's type.
/// - `static V transform(std::array<V, n>, index_t rows, index_t cols, forward, pull)`: one node of a rows x cols matrix. `forward(views, out)`
///   writes it; `pull(views, upstream, gradients)`, called when the node's gradient is known, overwrites the gradient of each input that is
///   wanted with the upstream gradient pulled back.
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

} // namespace dalib
