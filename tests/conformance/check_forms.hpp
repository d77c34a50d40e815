/// @file
/// The law that a measure has every form of call, and that all of them give the same bits: `conformance::check_forms(measure, a, b)`.
#pragma once

#include "check_execution.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>

namespace conformance {

namespace detail {
template <class G>
bool same_gradient(const G& a, const G& b) {
  if constexpr (requires { a.data(); }) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           std::memcmp(a.data(), b.data(), sizeof(*a.data()) * static_cast<std::size_t>(a.size())) == 0;
  } else {
    return [&]<std::size_t... L>(std::index_sequence<L...>) {
      return (same_gradient(std::get<L>(a), std::get<L>(b)) && ...);
    }(std::make_index_sequence<std::tuple_size_v<G>>{});
  }
}
template <class Result>
bool same_result(const Result& a, const Result& b) {
  bool same = same_bits(a.value, b.value);
  if constexpr (requires { a.gradient; })
    same = same && same_gradient(a.gradient, b.gradient);
  else
    same = same && same_gradient(a.source, b.source) && same_gradient(a.target, b.target);
  return same;
}
} // namespace detail

/// Value, allocating value_and_gradient and the free function, each with and without execution and scratch memory; `out` is what the
/// measure takes for its gradients.
template <class Measure, class Out, class... Inputs>
report check_forms(const Measure& measure, const Out& out, const Inputs&... inputs) {
  report found;
  const dalib::exec::serial serial;
  const std::string name = Measure::name;
  dalib::workspace scratch;
  const auto expected = measure.value_and_gradient(serial, inputs..., scratch);
  const auto require_value = [&](const auto& value, const char* form) {
    found.require(same_bits(static_cast<decltype(expected.value)>(value), expected.value), name + form);
  };
  require_value(measure(inputs...), "(inputs)");
  require_value(measure(serial, inputs...), "(exec, inputs)");
  require_value(measure(inputs..., scratch), "(inputs, scratch)");
  require_value(measure(serial, inputs..., scratch), "(exec, inputs, scratch)");
  require_value(measure.value_and_gradient(inputs..., out), ".value_and_gradient(inputs, out)");
  require_value(measure.value_and_gradient(serial, inputs..., out), ".value_and_gradient(exec, inputs, out)");
  require_value(measure.value_and_gradient(inputs..., out, scratch), ".value_and_gradient(inputs, out, scratch)");
  require_value(measure.value_and_gradient(serial, inputs..., out, scratch), ".value_and_gradient(exec, inputs, out, scratch)");
  require_value(value_and_gradient(measure, serial, inputs..., out, scratch), ": value_and_gradient(measure, exec, inputs, out, scratch)");
  const auto require_result = [&](const auto& result, const char* form) {
    found.require(detail::same_result(result, expected), name + form);
  };
  require_result(measure.value_and_gradient(inputs...), ".value_and_gradient(inputs)");
  require_result(measure.value_and_gradient(serial, inputs...), ".value_and_gradient(exec, inputs)");
  require_result(measure.value_and_gradient(inputs..., scratch), ".value_and_gradient(inputs, scratch)");
  require_result(value_and_gradient(measure, inputs...), ": value_and_gradient(measure, inputs)");
  require_result(value_and_gradient(measure, serial, inputs...), ": value_and_gradient(measure, exec, inputs)");
  require_result(value_and_gradient(measure, inputs..., scratch), ": value_and_gradient(measure, inputs, scratch)");
  require_result(value_and_gradient(measure, serial, inputs..., scratch), ": value_and_gradient(measure, exec, inputs, scratch)");
  return found;
}

} // namespace conformance
