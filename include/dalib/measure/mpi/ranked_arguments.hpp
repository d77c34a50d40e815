/// @file
/// A call's arguments as their tensors, and the same call with other tensors in their places.
#pragma once

#include "dalib/engine/mpi/spread_rows.hpp"
#include "dalib/engine/row/class_rows.hpp"
#include "dalib/measure/call.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib {

namespace detail {
/// Rows of a tensor with further dimensions, whose rows are elsewhere now.
template <class T>
struct positioned_rows {
  matrix_view<const T> rows;
  index_t positions;
};
} // namespace detail

template <class T>
struct matrix_traits<detail::positioned_rows<T>> {
  static constexpr bool owning = false;
  static auto view(const detail::positioned_rows<T>& tensor) { return tensor.rows; }
  static index_t positions(const detail::positioned_rows<T>& tensor) { return tensor.positions; }
};

namespace detail {

/// The positions of an input's samples; 1 of most.
template <class A>
index_t positions_of_input(const A& input) {
  if constexpr (requires { matrix_traits<A>::positions(input); })
    return positions_of(input);
  else
    return 1;
}

/// Layers have no positions.
template <std::size_t Count, class... A>
void note_positions(std::array<engine::tensor_note, Count>& notes, const std::tuple<const A&...>& inputs) {
  if constexpr (Count == sizeof...(A)) {
    std::size_t i = 0;
    std::apply([&](const auto&... one) { ((notes[i++].positions = positions_of_input(one)), ...); }, inputs);
  }
}

/// The tensors of an input: one, or one for each of its layers.
template <class A>
auto tensors_of_input(const A& input) {
  return std::tuple{sample_of(input)};
}
template <class... Layers>
auto tensors_of_input(const std::tuple<Layers...>& input) {
  return std::apply([](const auto&... one) { return std::tuple{sample_of(one)...}; }, input);
}
template <class A>
inline constexpr std::size_t tensor_count = 1;
template <class... Layers>
inline constexpr std::size_t tensor_count<std::tuple<Layers...>> = sizeof...(Layers);

/// The tensors of an output; without data where not wanted.
template <class T>
std::array<matrix_view<T>, 1> tensors_of_output(const gradient<T>& out) {
  return {out.target};
}
template <class T>
std::array<matrix_view<T>, 2> tensors_of_output(const gradients<T>& out) {
  return {out.source, out.target};
}
template <class T, std::size_t Layers>
std::array<matrix_view<T>, 2 * Layers> tensors_of_output(const layer_gradients<T, Layers>& out) {
  std::array<matrix_view<T>, 2 * Layers> all;
  for (std::size_t l = 0; l < Layers; ++l) {
    all[l] = out.source[l];
    all[Layers + l] = out.target[l];
  }
  return all;
}

/// What stands for an input whose rows are elsewhere now.
template <class A, class T>
auto input_like(const A& given, const sample<T>& only) {
  if constexpr (is_sample<A>)
    return only;
  else if constexpr (requires { matrix_traits<A>::positions(given); })
    return positioned_rows<T>{only.rows, positions_of(given)};
  else
    return only.rows;
}
template <class... Layers, class... T>
auto input_like(const std::tuple<Layers...>& given, const sample<T>&... each) {
  return std::apply([&](const auto&... layer) { return std::tuple{input_like(layer, each)...}; }, given);
}

/// What stands for an output whose rows are elsewhere now: the same scale, written over.
template <class T>
gradient<T> output_like(const gradient<T>& out, const matrix_view<T>* to) {
  return gradient<T>(to[0], out.scale);
}
template <class T>
gradients<T> output_like(const gradients<T>& out, const matrix_view<T>* to) {
  return gradients<T>(to[0], to[1], out.scale);
}
template <class T, std::size_t Layers>
layer_gradients<T, Layers> output_like(const layer_gradients<T, Layers>& out, const matrix_view<T>* to) {
  layer_gradients<T, Layers> other;
  std::copy_n(to, Layers, other.source.begin());
  std::copy_n(to + Layers, Layers, other.target.begin());
  other.scale = out.scale;
  return other;
}

/// Which of the inputs' tensors each of the outputs' tensors belongs to.
template <std::size_t Outputs, std::size_t Inputs, std::size_t... D>
constexpr std::array<std::size_t, Outputs> tensors_of_outputs(const std::array<std::size_t, Inputs>& counts, std::index_sequence<D...>) {
  std::array<std::size_t, Outputs> places{};
  std::size_t found = 0;
  const auto add = [&](std::size_t input) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < input; ++i) first += counts[i];
    for (std::size_t i = 0; i < counts[input] && found < Outputs; ++i) places[found++] = first + i;
  };
  (add(D), ...);
  return places;
}

/// Writes or adds rows of a gradient that was made elsewhere.
template <class T>
void give_gradient(const matrix_view<const T>& from, const matrix_view<T>& to, write_mode mode) {
  if (to.data == nullptr) return;
  for (index_t i = 0; i < to.rows; ++i)
    for (index_t f = 0; f < to.cols; ++f) to(i, f) = mode == write_mode::accumulate ? to(i, f) + from(i, f) : from(i, f);
}

} // namespace detail
} // namespace dalib
