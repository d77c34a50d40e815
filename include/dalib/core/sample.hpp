/// @file
/// One domain's data as a measure reads it: rows, and optionally a weight for each.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_traits.hpp"

#include <cmath>
#include <cstddef>
#include <iterator>
#include <span>
#include <tuple>
#include <type_traits>

namespace dalib {

/// A read-only sample: n rows of F features, with optional non-negative weights (n of them; none = all ones).
///
/// Weights are frequencies: an integer weight w means that the row stands w times in the sample, for every estimator that takes weights. A
/// row of weight 0 is not in the sample: whatever stands in it, NaN too, changes nothing, and its gradient is 0.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z = Eigen::MatrixXd::Random(3, 4), other = Eigen::MatrixXd::Random(5, 4);
/// Eigen::MatrixXd repeated(4, 4);
/// repeated << z.row(0), z;
/// const std::vector<double> weights = {2, 1, 1}; // the first row counts twice
/// const sample<double> weighted_rows = weighted(z, weights);
/// const mmd loss{kernel::gaussian{}, estimator::unbiased{}};
/// assert(std::abs(loss(weighted_rows, other) - loss(repeated, other)) < 1e-14);
/// static_assert(sample_like<sample<double>> && sample_like<Eigen::MatrixXd> && !sample_like<int>);
/// @endcode
template <class T, class Memory = host_memory>
struct sample {
  using value_type = T;
  using memory = Memory;

  matrix_view<const T, Memory> rows;
  const T* weights = nullptr;
};

/// Sum of a sample's weights; n without weights.
template <class T>
double total_weight(const sample<T>& s) {
  if (!s.weights) return static_cast<double>(s.rows.rows);
  double total = 0;
  for (index_t i = 0; i < s.rows.rows; ++i) total += static_cast<double>(s.weights[i]);
  return total;
}

/// Throws std::invalid_argument unless there is one finite, non-negative weight per row and their sum is positive. `weights` is the host's.
template <class T, class Memory>
void require_weights(const matrix_view<const T, Memory>& rows, const T* weights, index_t count) {
  if (count != rows.rows)
    fail("weighted", "needs one weight per row (got " + std::to_string(count) + " weights for " + shape_of(rows) + ")");
  T total = 0;
  for (index_t i = 0; i < count; ++i) {
    if (!(weights[i] >= T(0)) || !is_finite(weights[i])) fail("weighted", "weights must be finite and not negative");
    total += weights[i];
  }
  if (!(total > T(0))) fail("weighted", "the sum of the weights must be positive");
}

namespace detail {
/// Whether an argument of type `M` (with its reference, as a forwarding reference deduces it) takes its elements with it at the end of the
/// expression.
template <class M>
constexpr bool dies_with_elements() {
  using type = std::remove_cvref_t<M>;
  if constexpr (std::is_lvalue_reference_v<M> || std::ranges::enable_borrowed_range<type>)
    return false;
  else if constexpr (matrix_like<type>)
    return matrix_traits<type>::owning;
  else
    return true;
}

/// Whether any layer of `layers(...)` is held by value there and owns its elements.
template <class Layered>
inline constexpr bool holds_elements = false;
template <class... Tensors>
inline constexpr bool holds_elements<std::tuple<Tensors...>> = (dies_with_elements<Tensors>() || ...);

/// Anything but layers(...), for which weighted() has a form of its own.
template <class M>
inline constexpr bool is_layers = false;
template <class... Tensors>
inline constexpr bool is_layers<std::tuple<Tensors...>> = true;
template <class M>
concept unlayered = !is_layers<std::remove_cvref_t<M>>;
} // namespace detail

/// A sample with weights: `loss(weighted(zs, ws), weighted(zt, wt))`. `weights` is contiguous (vector, array, span, Eigen vector). The sample
/// refers to both, so temporaries that own their elements do not compile.
/// @throws std::invalid_argument if there is not one finite, non-negative weight per row or their sum is 0. O(n).
template <detail::unlayered M, class Weights>
auto weighted(M&& rows, Weights&& weights) {
  static_assert(!detail::dies_with_elements<M>() && !detail::dies_with_elements<Weights>(),
                "dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory");
  using T = value_type_of<M>;
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(*weights.data())>, T>, "dalib: weights must have the scalar type of the rows");
  static_assert(std::is_same_v<memory_of<M>, host_memory>, "dalib: weights of device tensors must be in device memory too");
  sample<T, memory_of<M>> result{const_view_of(rows), weights.data()};
  require_weights(result.rows, result.weights, static_cast<index_t>(std::size(weights)));
  return result;
}

/// A sample's weights as one column; without data if it has none.
template <class T, class Memory>
matrix_view<const T, Memory> weights_of(const sample<T, Memory>& s) {
  if (!s.weights) return {};
  return {s.weights, s.rows.rows, 1};
}

/// What a measure does with its arguments: a sample stays what it is, any tensor becomes a sample without weights.
template <class T, class Memory>
sample<T, Memory> sample_of(const sample<T, Memory>& s) {
  return s;
}
template <matrix_like M>
auto sample_of(const M& rows) {
  return sample<value_type_of<M>, memory_of<M>>{const_view_of(rows), nullptr};
}

namespace detail {
template <class S>
inline constexpr bool is_sample = false;
template <class T, class Memory>
inline constexpr bool is_sample<sample<T, Memory>> = true;
} // namespace detail

/// Anything that a measure takes as one domain's data.
template <class S>
concept sample_like = detail::is_sample<std::remove_cvref_t<S>> || matrix_like<S>;

/// Scalar type of a sample_like.
template <sample_like S>
using sample_value = typename decltype(sample_of(std::declval<const S&>()))::value_type;

namespace detail {
template <class S>
struct memory_of_sample {
  using type = host_memory;
};
template <sample_like S>
struct memory_of_sample<S> {
  using type = typename decltype(sample_of(std::declval<const S&>()))::memory;
};
} // namespace detail

/// Memory of a sample_like; the host's for other types, which are refused elsewhere.
template <class S>
using sample_memory = typename detail::memory_of_sample<std::remove_cvref_t<S>>::type;

/// @internal
/// What every two-sample measure asks of the types of its samples; one sentence for each that is missing.
template <class ZS, class ZT>
struct two_sample_types {
  static_assert(sample_like<ZS> && sample_like<ZT>,
                "dalib: this type is not a tensor that dalib knows. Evaluate expressions into a matrix first, include the tensor's header "
                "(dalib/xtensor.hpp ...), pass a dalib::matrix_view, or specialise dalib::matrix_traits.");
  using source = decltype(sample_of(std::declval<const ZS&>()));
  using target = decltype(sample_of(std::declval<const ZT&>()));
  using value_type = typename source::value_type;
  using memory = typename source::memory;
  static_assert(std::is_same_v<value_type, float> || std::is_same_v<value_type, double>, "dalib: tensors must hold float or double");
  static_assert(std::is_same_v<source, target>, "dalib: source and target must have the same scalar type and memory");
};

/// @internal
/// The same, with gradients of type `T` in `Memory`.
template <class ZS, class ZT, class T, class Memory = host_memory>
struct two_sample_gradient_types : two_sample_types<ZS, ZT> {
  static_assert(std::is_same_v<typename two_sample_types<ZS, ZT>::value_type, T>,
                "dalib: samples and gradients must have the same scalar type");
  static_assert(std::is_same_v<typename two_sample_types<ZS, ZT>::memory, Memory>,
                "dalib: samples and gradients must be in the same memory, of the host or of the device");
};

} // namespace dalib
