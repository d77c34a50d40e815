/// @file
/// Any measure with its inputs checked for NaN and infinity.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/gradients.hpp"
#include "dalib/core/graph_value.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>

namespace dalib {

namespace detail {
/// How a measure calls its arguments in messages; a two-sample measure says nothing.
template <class Measure>
constexpr auto argument_names_of() {
  if constexpr (requires { Measure::argument_names; })
    return Measure::argument_names;
  else
    return std::array<const char*, 2>{"the source", "the target"};
}

/// Number of a measure's inputs; 0 for what has not all forms of call.
template <class Measure>
constexpr std::size_t arity_of() {
  if constexpr (requires { Measure::arity; })
    return Measure::arity;
  else
    return 0;
}

template <class A>
inline constexpr bool is_layered = false;
template <class... Layers>
inline constexpr bool is_layered<std::tuple<Layers...>> = true;
} // namespace detail

/// The same measure, which throws std::invalid_argument naming the measure, the tensor, the row and the column if an input is not finite,
/// before any output is touched. Costs one more pass over the inputs: `checked{mmd{...}}(zs, zt)`. It takes every call that the measure
/// takes, a tape's variables too. Without it NaN and infinity are not looked for: they come out as NaN. Finite numbers may still be out of
/// range: squared distances are numbers too (see bandwidth_policy).
///
/// @code{.cpp}
/// Eigen::MatrixXf zs = Eigen::MatrixXf::Random(16, 4), zt = Eigen::MatrixXf::Random(12, 4);
/// const checked loss{mmd{kernel::gaussian{}}};
/// assert(loss(zs, zt) == mmd{kernel::gaussian{}}(zs, zt));
/// zt(3, 1) = std::numeric_limits<float>::quiet_NaN();
/// std::string message;
/// try {
///   loss(zs, zt);
/// } catch (const std::invalid_argument& error) {
///   message = error.what();
/// }
/// assert(message == "mmd: the target (12 x 4) has a value that is not finite at row 3, column 1");
/// @endcode
template <class Measure>
struct checked {
  Measure measure;
  static constexpr const char* name = Measure::name;
  static constexpr std::size_t arity = detail::arity_of<Measure>();

  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    check_all(arguments...);
    return measure(arguments...);
  }
  template <class... Arguments>
  auto value_and_gradient(Arguments&&... arguments) const {
    check_all(arguments...);
    return measure.value_and_gradient(arguments...);
  }

private:
  /// Looks at the arguments that are tensors, samples or layers of them; execution policies, gradients and workspaces are none.
  template <class... Arguments>
  static void check_all(const Arguments&... arguments) {
    std::size_t place = 0;
    (check_one(arguments, place), ...);
  }
  template <class T, class Memory>
  static void look_at(const matrix_view<T, Memory>& rows, const char* which) {
    backend<Memory>::require_finite(name, which, rows);
  }
  template <class A>
  static void check_one(const A& argument, std::size_t& place) {
    constexpr auto names = detail::argument_names_of<Measure>();
    if constexpr (sample_like<A> || graph_value<A>) {
      look_into(argument, names.at(place));
      ++place;
    } else if constexpr (detail::is_layered<A>) {
      std::apply([&](const auto&... layer) { (look_into(layer, names.at(place)), ...); }, argument);
      ++place;
    }
  }
  template <class A>
  static void look_into(const A& argument, const char* which) {
    if constexpr (sample_like<A>)
      look_at(sample_of(argument).rows, which);
    else
      with_graph_views([&](const auto& rows) { look_at(rows, which); }, argument);
  }
};

template <class Measure>
checked(Measure) -> checked<Measure>;

} // namespace dalib
