/// @file
/// A tuple that tasks carry to a device: std::tuple's functions are the host's alone.
#pragma once

#include "dalib/config.hpp"

#include <cstddef>
#include <utility>

namespace dalib::engine {

/// One element of `slots`.
template <std::size_t I, class Value>
struct slot {
  Value value;
};

template <class Indices, class... Values>
struct indexed_slots;
template <std::size_t... I, class... Values>
struct indexed_slots<std::index_sequence<I...>, Values...> : slot<I, Values>... {};

/// Values of different types, one for each layer; `at<I>(s)` is the I-th.
template <class... Values>
using slots = indexed_slots<std::index_sequence_for<Values...>, Values...>;

template <std::size_t I, class Value>
DALIB_HD Value& at(slot<I, Value>& s) {
  return s.value;
}
template <std::size_t I, class Value>
DALIB_HD const Value& at(const slot<I, Value>& s) {
  return s.value;
}

} // namespace dalib::engine
