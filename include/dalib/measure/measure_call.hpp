/// @file
/// What a measure's operation is told, and which of a call's arguments are what.
#pragma once

#include "dalib/core/gradient.hpp"
#include "dalib/core/graph_value.hpp"
#include "dalib/core/layers.hpp"
#include "dalib/core/workspace.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib {

/// What a measure's one operation, `evaluate(call, inputs...)`, is told besides its inputs: who runs it, where scratch memory comes from,
/// and where gradients go, if any are wanted.
///
/// @code{.cpp}
/// workspace scratch;
/// const exec::serial policy{};
/// const measure_call<exec::serial, workspace> value_only{policy, scratch, {}};
/// static_assert(!value_only.wants_gradient && measure_call<exec::serial, workspace, gradient<float>>::wants_gradient);
/// assert(&value_only.scratch == &scratch);
/// @endcode
template <class Exec, class Workspace, class... Outputs>
struct measure_call {
  static constexpr bool wants_gradient = sizeof...(Outputs) > 0;
  using execution_type = Exec;

  const Exec& execution;
  Workspace& scratch;
  std::tuple<const Outputs&...> outputs;

  /// Output `Which`, or what stands for one that is not wanted.
  template <std::size_t Which, class Unwanted>
  auto output(const Unwanted& unwanted) const {
    if constexpr (Which < sizeof...(Outputs))
      return std::get<Which>(outputs);
    else
      return unwanted;
  }
};

/// The value and the gradient of a measure of one tensor, in memory of its own.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = Eigen::MatrixXd::Random(8, 3);
/// const value_with_gradient<double, Eigen::MatrixXd> result = value_and_gradient(class_balance{}, logits);
/// assert(std::abs(result.value - class_balance{}(logits)) < 1e-14 && result.gradient.rows() == 8);
/// @endcode
template <class T, class Target>
struct value_with_gradient {
  T value;
  Target gradient;
};

namespace detail {

template <class A>
inline constexpr bool is_output = false;
template <class T, class Memory>
inline constexpr bool is_output<gradient<T, Memory>> = true;
template <class T, class Memory>
inline constexpr bool is_output<gradients<T, Memory>> = true;
template <class T, std::size_t Layers, class Memory>
inline constexpr bool is_output<layer_gradients<T, Layers, Memory>> = true;

template <class A>
inline constexpr bool is_workspace = false;
template <class Resource>
inline constexpr bool is_workspace<basic_workspace<Resource>> = true;

/// Memory and scalar of an input: a tensor, a weighted sample, or layers of them.
template <class A>
struct input_traits {
  using memory = sample_memory<A>;
};
template <class First, class... Others>
struct input_traits<std::tuple<First, Others...>> : input_traits<std::remove_cvref_t<First>> {};

template <class A>
inline constexpr bool is_graph_input = graph_value<A>;
template <class... Layers>
inline constexpr bool is_graph_input<std::tuple<Layers...>> = (graph_value<std::remove_cvref_t<Layers>> && ...);

/// Which of a call's arguments are what, told by their number and types: [execution] inputs... outputs... [scratch].
template <std::size_t Arity, class... A>
struct call_shape {
  static constexpr std::size_t arity = Arity;
  static constexpr std::size_t count = sizeof...(A);
  static constexpr std::array<bool, count + 1> outputs{is_output<A>..., false};
  static constexpr std::array<bool, count + 1> workspaces{is_workspace<A>..., false};
  static constexpr bool has_scratch = count > 0 && workspaces[count - 1];
  static constexpr std::size_t output_count = ((is_output<A> ? 1 : 0) + ... + 0);
  static constexpr std::size_t first_output = count - output_count - (has_scratch ? 1 : 0);
  static constexpr bool has_execution = first_output == Arity + 1;
  static constexpr std::size_t first_input = has_execution ? 1 : 0;
  static constexpr bool fits = first_output == Arity + first_input;
};

/// A tensor made like an input, for a gradient that the library allocates.
template <sample_like Z>
auto like_input(const Z& input) {
  auto&& tensor = tensor_of(input);
  return matrix_traits<std::remove_cvref_t<decltype(tensor)>>::like(tensor);
}
template <class... Layers>
auto like_input(const std::tuple<Layers...>& input) {
  return tensors_like(input);
}

/// The output that refers to the tensors of one gradient, or of two.
template <class G>
auto output_for(G& only) {
  return gradient{only};
}
template <class GS, class GT>
auto output_for(GS& source, GT& target) {
  return gradients{source, target};
}
template <class... GS, class... GT>
auto output_for(std::tuple<GS...>& source, std::tuple<GT...>& target) {
  const auto refer = [](auto& tensors) { return std::apply([](auto&... one) { return layers(one...); }, tensors); };
  return layer_gradients{refer(source), refer(target)};
}

template <class T, class G>
auto with_value(T value, G&& only) {
  return value_with_gradient<T, std::remove_cvref_t<G>>{std::move(value), std::forward<G>(only)};
}
template <class T, class GS, class GT>
auto with_value(T value, GS&& source, GT&& target) {
  return value_with_gradients<T, std::remove_cvref_t<GS>, std::remove_cvref_t<GT>>{std::move(value), std::forward<GS>(source),
                                                                                 std::forward<GT>(target)};
}

} // namespace detail

} // namespace dalib
