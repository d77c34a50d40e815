/// @file
/// Where a measure writes its gradients, and the allocating form for those who do not care.
#pragma once

#include "dalib/core/matrix_traits.hpp"
#include "dalib/core/overlap.hpp"
#include "dalib/core/sample.hpp"

#include <type_traits>

namespace dalib {

/// What happens to what already stands in a gradient's memory.
enum class write_mode {
  overwrite, ///< gradient = scale * dL/dz
  accumulate ///< gradient += scale * dL/dz
};

namespace detail {
template <class M>
inline constexpr bool is_view = false;
template <class T, class Memory>
inline constexpr bool is_view<matrix_view<T, Memory>> = true;

/// The view of a tensor that receives gradients; `G` is its type as it was passed, with its reference.
template <class T, class Memory, class G>
matrix_view<T, Memory> writable_view(std::remove_reference_t<G>& tensor) {
  using view = view_type<std::remove_reference_t<G>>;
  constexpr bool fits = std::is_same_v<typename view::value_type, T> && std::is_same_v<typename view::memory, Memory>;
  constexpr bool mutable_elements = !std::is_const_v<typename view::element_type>;
  static_assert(fits, "dalib: both gradients must have the same scalar type and memory");
  static_assert(mutable_elements, "dalib: gradients are written, so their tensors must not be const");
  static_assert(std::is_lvalue_reference_v<G> || !matrix_traits<std::remove_cvref_t<G>>::owning,
                "dalib: a temporary that owns its memory cannot receive gradients");
  if constexpr (fits && mutable_elements) {
    matrix_view<T, Memory> result = view_of(tensor);
    // An empty tensor is not a default-made view: its shape is refused, not taken for "not wanted".
    static T no_element;
    if (!is_view<std::remove_cvref_t<G>> && result.data == nullptr) result.data = &no_element;
    return result;
  } else {
    return {};
  }
}
} // namespace detail

/// The caller's memory for the gradients of a two-sample measure.
///
/// @param source, target  writable tensors of the samples' shapes, with memory of their own: measures throw std::invalid_argument at entry
/// if an element of a gradient is also one of the inputs, their weights, or another gradient. Views of one buffer are fine if they have no
/// element in common, such as columns of one matrix. A default-made view (and nothing else) means "not wanted".
/// @param scale  the upstream gradient dL/dloss; gradient reversal is a negative scale. It does not change the value.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// Eigen::MatrixXd gs = Eigen::MatrixXd::Zero(16, 4), gt(12, 4), reversed(12, 4);
/// const mmd loss{kernel::gaussian{}};
/// loss.value_and_gradient(zs, zt, gradients{gs, gt});
/// loss.value_and_gradient(zs, zt, gradients{gs, gt, -1.0, write_mode::accumulate}); // takes away what the first call wrote
/// assert(gs.norm() < 1e-15 && gt.norm() < 1e-15);
/// loss.value_and_gradient(zs, zt, gradients{matrix_view<double>{}, reversed, -0.1}); // the source's is not wanted
/// assert(reversed.norm() > 0);
/// @endcode
template <class T, class Memory = host_memory>
struct gradients {
  matrix_view<T, Memory> source;
  matrix_view<T, Memory> target;
  T scale = T(1);
  write_mode mode = write_mode::overwrite;

  // The scale deduces nothing: nvcc would prefer a guide made of these constructors, with the default memory, to those below.
  gradients(matrix_view<T, Memory> to_source, matrix_view<T, Memory> to_target, std::type_identity_t<T> upstream = T(1),
            write_mode how = write_mode::overwrite)
      : source(to_source), target(to_target), scale(upstream), mode(how) {}

  template <matrix_like GS, matrix_like GT>
  requires(!std::is_same_v<std::remove_cvref_t<GS>, matrix_view<T, Memory>> ||
           !std::is_same_v<std::remove_cvref_t<GT>, matrix_view<T, Memory>>)
      gradients(GS&& to_source, GT&& to_target, std::type_identity_t<T> upstream = T(1), write_mode how = write_mode::overwrite)
      : source(detail::writable_view<T, Memory, GS>(to_source)), target(detail::writable_view<T, Memory, GT>(to_target)), scale(upstream),
        mode(how) {}
};

template <class GS, class GT>
gradients(GS&&, GT&&) -> gradients<value_type_of<GS>, memory_of<GS>>;
template <class GS, class GT, class S>
gradients(GS&&, GT&&, S) -> gradients<value_type_of<GS>, memory_of<GS>>;
template <class GS, class GT, class S>
gradients(GS&&, GT&&, S, write_mode) -> gradients<value_type_of<GS>, memory_of<GS>>;

/// The checks of every measure of two samples: gradients of their samples' shapes, apart from the samples, the weights and each other.
template <class T, class Memory>
void require_gradients(const char* measure, const sample<T, Memory>& source, const sample<T, Memory>& target,
                       const gradients<T, Memory>& out) {
  require_gradient_shape(measure, source.rows, out.source);
  require_gradient_shape(measure, target.rows, out.target);
  require_apart(measure, {source.rows, target.rows, weights_of(source), weights_of(target)}, {out.source, out.target});
}

/// @internal
/// What a two-sample measure asks of the type of its gradients.
template <class Types, class T, class Memory>
constexpr void require_gradient_types(const gradients<T, Memory>&) {
  static_assert(std::is_same_v<typename Types::value_type, T>, "dalib: samples and gradients must have the same scalar type");
  static_assert(std::is_same_v<typename Types::memory, Memory>,
                "dalib: samples and gradients must be in the same memory, of the host or of the device");
}

/// Gradients that nobody wants: what the value alone is computed with.
template <class T, class Memory>
gradients<T, Memory> no_gradients() {
  return {matrix_view<T, Memory>{}, matrix_view<T, Memory>{}};
}

/// Value and freshly allocated gradients; reads as `auto [value, gs, gt] = value_and_gradient(loss, zs, zt)`.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const value_with_gradients<double, Eigen::MatrixXd, Eigen::MatrixXd> result = value_and_gradient(mmd{}, zs, zt);
/// auto [value, gs, gt] = value_and_gradient(mmd{}, zs, zt);
/// assert(result.value == value && result.source == gs && result.target == gt && gt.rows() == 12);
/// @endcode
template <class T, class Source, class Target>
struct value_with_gradients {
  T value;
  Source source;
  Target target;
};

namespace detail {
/// The tensor behind a sample_like, for making another like it.
template <matrix_like M>
const M& tensor_of(const M& rows) {
  return rows;
}
template <class T, class Memory>
matrix_view<const T, Memory> tensor_of(const sample<T, Memory>& s) {
  return s.rows;
}
} // namespace detail

/// The allocating form: gradients in new tensors of the arguments' kind. For a loop use the measure's member with your own memory.
template <class Measure, sample_like ZS, sample_like ZT>
auto value_and_gradient(const Measure& measure, const ZS& zs, const ZT& zt) {
  auto&& source_tensor = detail::tensor_of(zs);
  auto&& target_tensor = detail::tensor_of(zt);
  auto gs = matrix_traits<std::remove_cvref_t<decltype(source_tensor)>>::like(source_tensor);
  auto gt = matrix_traits<std::remove_cvref_t<decltype(target_tensor)>>::like(target_tensor);
  auto value = measure.value_and_gradient(zs, zt, gradients{gs, gt});
  return value_with_gradients<decltype(value), decltype(gs), decltype(gt)>{value, std::move(gs), std::move(gt)};
}

} // namespace dalib
