/// @file
/// Several tensors of the same samples: the layers of a network that a joint measure looks at together.
#pragma once

#include "dalib/core/gradients.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib {

/// The layers of one domain, in order: `layers(features, softmax)`. Tensors are referred to, views and weighted samples are held.
template <class... Tensors>
std::tuple<Tensors...> layers(Tensors&&... tensors) {
  static_assert(sizeof...(Tensors) > 0, "dalib: layers() needs at least one tensor");
  return std::tuple<Tensors...>(std::forward<Tensors>(tensors)...);
}

/// The same weights for every layer: `weighted(layers(f, g), w)`. Errors as for one tensor.
template <class... Tensors, class Weights>
auto weighted(const std::tuple<Tensors...>& rows, Weights&& weights) {
  static_assert(!detail::holds_elements<std::tuple<Tensors...>> && !detail::dies_with_elements<Weights>(),
                "dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory");
  return std::apply([&](const auto&... layer) { return std::tuple{weighted(layer, weights)...}; }, rows);
}

/// The caller's memory for the gradients of a measure of several layers: `layer_gradients{layers(gs1, gs2), layers(gt1, gt2)}`.
///
/// A default-made view in a layer's place means "not wanted". Scale and mode are those of `gradients`.
///
/// @code{.cpp}
/// const Eigen::MatrixXf fs = Eigen::MatrixXf::Random(16, 8), ft = Eigen::MatrixXf::Random(12, 8); // features
/// const Eigen::MatrixXf ps = Eigen::MatrixXf::Random(16, 3), pt = Eigen::MatrixXf::Random(12, 3); // predictions
/// Eigen::MatrixXf gfs(16, 8), gft(12, 8), gps(16, 3), gpt(12, 3);
/// const layer_gradients<float, 2> out{layers(gfs, gps), layers(gft, gpt)};
/// const float value = joint_mmd{}.value_and_gradient(layers(fs, ps), layers(ft, pt), out);
/// assert(value == joint_mmd{}(layers(fs, ps), layers(ft, pt)) && gps.norm() > 0);
/// @endcode
template <class T, std::size_t Layers, class Memory = host_memory>
struct layer_gradients {
  std::array<matrix_view<T, Memory>, Layers> source{};
  std::array<matrix_view<T, Memory>, Layers> target{};
  T scale = T(1);
  write_mode mode = write_mode::overwrite;

  layer_gradients() = default;
  template <class... GS, class... GT>
  layer_gradients(std::tuple<GS...> to_source, std::tuple<GT...> to_target, T upstream = T(1), write_mode how = write_mode::overwrite)
      : source(views_of(to_source)), target(views_of(to_target)), scale(upstream), mode(how) {
    static_assert(sizeof...(GS) == Layers && sizeof...(GT) == Layers, "dalib: source and target must have the same number of layers");
  }

private:
  template <class... G>
  static std::array<matrix_view<T, Memory>, Layers> views_of(std::tuple<G...>& tensors) {
    return std::apply(
        [](auto&... tensor) { return std::array<matrix_view<T, Memory>, Layers>{detail::writable_view<T, Memory, G>(tensor)...}; },
        tensors);
  }
};

template <class G, class... GS, class... GT>
layer_gradients(std::tuple<G, GS...>, std::tuple<GT...>) -> layer_gradients<value_type_of<G>, 1 + sizeof...(GS), memory_of<G>>;
template <class G, class... GS, class... GT, class S>
layer_gradients(std::tuple<G, GS...>, std::tuple<GT...>, S) -> layer_gradients<value_type_of<G>, 1 + sizeof...(GS), memory_of<G>>;
template <class G, class... GS, class... GT, class S>
layer_gradients(std::tuple<G, GS...>, std::tuple<GT...>, S, write_mode)
    -> layer_gradients<value_type_of<G>, 1 + sizeof...(GS), memory_of<G>>;

namespace detail {
/// Scalar type of a domain's layers.
template <class Layered>
struct layered_value;
template <class First, class... Others>
struct layered_value<std::tuple<First, Others...>> {
  using type = sample_value<std::remove_cvref_t<First>>;
  using memory = sample_memory<First>;
  static_assert((std::is_same_v<type, sample_value<std::remove_cvref_t<Others>>> && ...),
                "dalib: all layers must have the same scalar type");
  static_assert((std::is_same_v<memory, sample_memory<Others>> && ...), "dalib: all layers must be in the same memory");
};

/// New tensors like a domain's layers.
template <class... Tensors>
auto tensors_like(const std::tuple<Tensors...>& rows) {
  return std::apply(
      [](const auto&... layer) {
        return std::tuple{matrix_traits<std::remove_cvref_t<decltype(tensor_of(layer))>>::like(tensor_of(layer))...};
      },
      rows);
}
} // namespace detail

/// The allocating form for several layers: `auto [value, gs, gt] = value_and_gradient(loss, layers(...), layers(...))`; gs and gt are
/// tuples.
template <class Measure, sample_like... ZS, sample_like... ZT>
auto value_and_gradient(const Measure& measure, const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt) {
  using T = typename detail::layered_value<std::tuple<ZS...>>::type;
  using Memory = typename detail::layered_value<std::tuple<ZS...>>::memory;
  auto gs = detail::tensors_like(zs);
  auto gt = detail::tensors_like(zt);
  const auto refer = [](auto& tensors) { return std::apply([](auto&... one) { return layers(one...); }, tensors); };
  const T value = measure.value_and_gradient(zs, zt, layer_gradients<T, sizeof...(ZS), Memory>{refer(gs), refer(gt)});
  return value_with_gradients<T, decltype(gs), decltype(gt)>{value, std::move(gs), std::move(gt)};
}

} // namespace dalib
