/// @file
/// Every form in which a measure can be called, from the one operation that it offers.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/measure/measure_call.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib {

/// @internal
/// The places of the inputs that a measure has gradients for: all, unless it says `using differentiable = std::index_sequence<...>`.
template <class Measure>
struct differentiable_inputs {
  using type = std::make_index_sequence<Measure::arity>;
};
template <class Measure>
requires requires { typename Measure::differentiable; }
struct differentiable_inputs<Measure> {
  using type = typename Measure::differentiable;
};

/// @internal
/// The places of the inputs whose gradients the allocating form returns: the differentiable ones, unless the measure says `using returned`.
template <class Measure>
struct returned_inputs : differentiable_inputs<Measure> {};
template <class Measure>
requires requires { typename Measure::returned; }
struct returned_inputs<Measure> {
  using type = typename Measure::returned;
};

/// @internal
/// How a policy of several machines carries out a call (dalib/mpi.hpp): `evaluate(measure, call, inputs...)`. Such a policy names `ranks`.
template <class Exec>
struct distributed_call;

/// A differentiable measure of tensors: it has a `name`, takes `arity` inputs, and offers one operation,
/// `evaluate(const measure_call<...>& call, const Inputs&... inputs)`, which returns the value and, if `call.wants_gradient`, writes the
/// gradients of its `differentiable` inputs. All ways to call it come from `call_forms`, its base.
///
/// @code{.cpp}
/// static_assert(discrepancy<mmd<>> && !discrepancy<Eigen::MatrixXd>);
/// @endcode
template <class M>
concept discrepancy = requires {
  { M::name } -> std::convertible_to<const char*>;
  requires M::arity >
  0;
};

/// Base of a measure (`struct own : call_forms<own>`), without members: gives it every form,
///
/// | | |
/// |---|---|
/// | `loss(a, b)` | the value, by the default execution |
/// | `loss(exec, a, b)`, `loss(a, b, scratch)`, `loss(exec, a, b, scratch)` | the same by an execution policy, with the caller's scratch |
/// | `loss.value_and_gradient(a, b, gradients{ga, gb})` | value, and gradients into the caller's memory; also with exec and scratch |
/// | `loss.value_and_gradient(a, b)` | value, and gradients in new tensors; also with exec and scratch |
/// | `value_and_gradient(loss, ...)` | the last two as a function |
/// | `loss(va, vb)` | variables of a tape (`graph_value`): one node with the gradients |
///
/// for as many inputs as it has. With a scratch kept from call to call nothing is allocated from the second call on.
///
/// @code{.cpp}
/// struct mean_distance : call_forms<mean_distance> { // |mean a - mean b|^2
///   static constexpr const char* name = "mean_distance";
///   static constexpr std::size_t arity = 2;
///   template <class Call, class A, class B>
///   auto evaluate(const Call& call, const A& a, const B& b) const {
///     return mmd{kernel::linear{}, estimator::biased{}}.evaluate(call, a, b);
///   }
/// };
/// const Eigen::MatrixXd a = Eigen::MatrixXd::Random(6, 3), b = Eigen::MatrixXd::Random(4, 3);
/// const mean_distance loss;
/// workspace scratch;
/// const auto [value, ga, gb] = loss.value_and_gradient(exec::serial{}, a, b, scratch);
/// assert(std::abs(value - (a.colwise().mean() - b.colwise().mean()).squaredNorm()) < 1e-14 && gb.rows() == 4);
/// assert(loss(a, b) == value && value_and_gradient(loss, exec::serial{}, a, b).value == value);
/// @endcode
template <class Measure>
struct call_forms {
  /// The value; on a tape a node.
  template <class... A>
  auto operator()(A&&... arguments) const {
    using shape = detail::call_shape<Measure::arity, std::remove_cvref_t<A>...>;
    static_assert(shape::fits && shape::output_count == 0,
                  "dalib: a measure is called as loss([execution,] inputs... [, scratch]); gradients go to its value_and_gradient");
    if constexpr (shape::fits) return dispatch<shape>(inputs_of<shape>{}, std::forward_as_tuple(arguments...));
  }

  /// Value and gradients: into the caller's memory, or, if none is given, into new tensors, which come with the value.
  template <class... A>
  auto value_and_gradient(A&&... arguments) const {
    using shape = detail::call_shape<Measure::arity, std::remove_cvref_t<A>...>;
    static_assert(shape::fits, "dalib: a measure is called as loss.value_and_gradient([execution,] inputs... [, gradients] [, scratch])");
    const auto all = std::forward_as_tuple(arguments...);
    if constexpr (!shape::fits)
      return;
    else if constexpr (shape::output_count == 0)
      return allocate<shape>(inputs_of<shape>{}, typename returned_inputs<Measure>::type{}, all);
    else
      return run<shape>(inputs_of<shape>{}, std::make_index_sequence<shape::output_count>{}, all);
  }

private:
  const Measure& self() const { return static_cast<const Measure&>(*this); }

  /// The measure's operation, or what makes it one of several machines.
  template <class Call, class... Inputs>
  auto carry_out(const Call& call, const Inputs&... inputs) const {
    if constexpr (requires { typename Call::execution_type::ranks; })
      return distributed_call<typename Call::execution_type>::evaluate(self(), call, inputs...);
    else
      return self().evaluate(call, inputs...);
  }

  template <class Shape>
  using inputs_of = std::make_index_sequence<Shape::arity>;
  template <class Shape, std::size_t I, class All>
  static const auto& input(const All& all) {
    return std::get<Shape::first_input + I>(all);
  }

  /// Calls f(execution, scratch) with what the caller gave, or with the defaults of `Memory`.
  template <class Shape, class Memory, class All, class F>
  static auto with_context(const All& all, const F& f) {
    const auto with_scratch = [&](const auto& execution) {
      if constexpr (Shape::has_scratch) {
        return f(execution, std::get<Shape::count - 1>(all));
      } else {
        workspace_of<Memory> scratch;
        return f(execution, scratch);
      }
    };
    if constexpr (Shape::has_execution)
      return with_scratch(std::get<0>(all));
    else
      return with_scratch(exec::default_for<Memory>{});
  }

  template <class All, std::size_t Place>
  using argument = std::remove_cvref_t<std::tuple_element_t<Place, All>>;

  template <class Shape, std::size_t... I, class All>
  auto dispatch(std::index_sequence<I...>, const All& all) const {
    if constexpr ((detail::is_graph_input<argument<All, Shape::first_input + I>> && ...)) {
      return self().record(input<Shape, I>(all)...);
    } else {
      using memory = typename detail::input_traits<argument<All, Shape::first_input>>::memory;
      return with_context<Shape, memory>(all, [&](const auto& execution, auto& scratch) {
        const measure_call<std::remove_cvref_t<decltype(execution)>, std::remove_cvref_t<decltype(scratch)>> call{execution, scratch, {}};
        return carry_out(call, input<Shape, I>(all)...);
      });
    }
  }

  template <class Shape, std::size_t... I, std::size_t... O, class All>
  auto run(std::index_sequence<I...>, std::index_sequence<O...>, const All& all) const {
    using memory = typename detail::input_traits<argument<All, Shape::first_input>>::memory;
    return with_context<Shape, memory>(all, [&](const auto& execution, auto& scratch) {
      const measure_call<std::remove_cvref_t<decltype(execution)>, std::remove_cvref_t<decltype(scratch)>,
                         argument<All, Shape::first_output + O>...>
          call{execution, scratch, {std::get<Shape::first_output + O>(all)...}};
      return carry_out(call, input<Shape, I>(all)...);
    });
  }

  template <class Shape, std::size_t... I, std::size_t... D, class All>
  auto allocate(std::index_sequence<I...>, std::index_sequence<D...>, const All& all) const {
    using memory = typename detail::input_traits<argument<All, Shape::first_input>>::memory;
    std::tuple made{detail::like_input(input<Shape, D>(all))...};
    const auto out = std::apply([](auto&... one) { return detail::output_for(one...); }, made);
    auto value = with_context<Shape, memory>(all, [&](const auto& execution, auto& scratch) {
      const measure_call<std::remove_cvref_t<decltype(execution)>, std::remove_cvref_t<decltype(scratch)>,
                         std::remove_cvref_t<decltype(out)>>
          call{execution, scratch, {out}};
      return carry_out(call, input<Shape, I>(all)...);
    });
    return std::apply([&](auto&... one) { return detail::with_value(std::move(value), std::move(one)...); }, made);
  }

protected:
  /// The default of a tape: one node of all differentiable inputs; the others are looked at and receive no gradient.
  template <class V, class... Others>
  auto record(const V& first, const Others&... others) const {
    static_assert((std::is_same_v<V, Others> && ...), "dalib: all inputs of a measure on a tape must have the same type");
    return record_on<V>(std::make_index_sequence<Measure::arity>{}, typename differentiable_inputs<Measure>::type{},
                        std::tie(first, others...));
  }

private:
  /// Place of input I among the differentiable ones, or their number.
  template <std::size_t I, std::size_t... D>
  static constexpr std::size_t place_of(std::index_sequence<D...>) {
    std::size_t place = 0, found = sizeof...(D);
    ((D == I ? static_cast<void>(found = place) : static_cast<void>(0), ++place), ...);
    return found;
  }

  template <class V, std::size_t... I, std::size_t... D, class All>
  auto record_on(std::index_sequence<I...>, std::index_sequence<D...> differentiable, const All& all) const {
    using graph = graph_traits<V>;
    if constexpr (requires { Measure::recordable; })
      static_assert(Measure::recordable, "dalib: reduction::none of this measure cannot be recorded: its values are not one for each row");
    return graph::record(std::array<V, sizeof...(D)>{std::get<D>(all)...},
                         [&](const auto& value, const auto& target, const auto&... execution) {
                           const auto view = [&](auto place) {
                             constexpr std::size_t at = place_of<decltype(place)::value>(std::index_sequence<D...>{});
                             if constexpr (at < sizeof...(D))
                               return value[at];
                             else
                               return graph_view<scalar_of_views<decltype(target)>>(std::get<decltype(place)::value>(all));
                           };
                           static_cast<void>(differentiable);
                           return write_gradients(target, execution..., view(std::integral_constant<std::size_t, I>{})...);
                         });
  }
  /// Hands the tape's gradients over as the outputs that the measure takes: one, a pair, a pair and one, or pairs.
  template <class Targets, class... Arguments>
  auto write_gradients(const Targets& target, const Arguments&... arguments) const {
    using T = scalar_of_views<Targets>;
    using one = gradient<T, memory_of_views<Targets>>;
    using two = gradients<T, memory_of_views<Targets>>;
    constexpr std::size_t count = std::tuple_size_v<Targets>;
    if constexpr (count == 1)
      return value_and_gradient(arguments..., one{target[0]});
    else if constexpr (count == 2)
      return value_and_gradient(arguments..., two{target[0], target[1]});
    else if constexpr (count == 3)
      return value_and_gradient(arguments..., two{target[0], target[1]}, one{target[2]});
    else
      return value_and_gradient(arguments..., two{target[0], target[1]}, two{target[2], target[3]});
  }
};

/// The member as a function, in all its forms.
template <discrepancy Measure, class... A>
auto value_and_gradient(const Measure& measure, A&&... arguments) {
  return measure.value_and_gradient(arguments...);
}

} // namespace dalib
