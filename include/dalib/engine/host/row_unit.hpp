/// @file
/// Rows whose squared distances leave the range of their type are counted in another unit, a power of two.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/engine/pair/layer.hpp"
#include "dalib/kernel/bind.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

namespace dalib::engine {

/// Power of two that rows of that mean squared distance are divided by: 0 within the range in which squared distances, slopes and their
/// products are normal numbers of type T. Beyond, what is left of the distance is such that a bandwidth far from it stays in range too.
template <class T>
int unit_exponent(double mean_squared_distance) {
  constexpr int limit = std::numeric_limits<T>::max_exponent / 2, left = 40;
  if (!(mean_squared_distance > 0) || !std::isfinite(mean_squared_distance)) return 0;
  const int exponent = std::ilogb(mean_squared_distance);
  if (exponent > limit) return (exponent - left) / 2;
  if (exponent < -limit) return (exponent + left) / 2;
  return 0;
}

namespace detail {

/// A sample's rows times `factor`, in scratch memory.
template <class T>
sample<T> multiplied(const sample<T>& from, T factor, workspace& scratch) {
  const auto& rows = from.rows;
  T* to = scratch.allocate<T>(rows.rows * rows.cols);
  for (index_t i = 0; i < rows.rows; ++i)
    for (index_t f = 0; f < rows.cols; ++f) to[i * rows.cols + f] = rows(i, f) * factor;
  return {matrix_view<const T>(to, rows.rows, rows.cols, rows.cols, 1), from.weights};
}

} // namespace detail

/// Calls use(layers) with every layer in a unit in which its squared distances are in range: nearly always the layers themselves.
/// @throws std::invalid_argument with the measure's name for a kernel of distances that takes no unit
template <class Exec, class T, class... Profiles, class Use>
auto with_units(const Exec& exec, const char* measure, const std::tuple<layer<T, Profiles>...>& layers, workspace& scratch, const Use& use) {
  const auto exponent_of = [](const auto& one) { return unit_exponent<T>(one.summary->mean_squared_distance()); };
  if (std::apply([&](const auto&... one) { return ((exponent_of(one) == 0) && ...); }, layers)) return use(layers);
  std::array<std::optional<sample_summary<T>>, sizeof...(Profiles)> summaries;
  std::size_t place = 0;
  const auto in_unit = [&]<class Profile>(layer<T, Profile> one) {
    const int exponent = exponent_of(one);
    auto& summary = summaries[place++];
    if constexpr (takes_unit<Profile>) {
      if (exponent == 0) return one;
      one.data = {detail::multiplied(one.data.source, std::ldexp(T(1), -exponent), scratch),
                  detail::multiplied(one.data.target, std::ldexp(T(1), -exponent), scratch)};
      one.summary = &summary.emplace(exec, one.data, scratch);
      one.profile = one.profile.with_unit(std::ldexp(1.0, 2 * exponent));
      one.gradient_factor = std::ldexp(T(1), -exponent);
    } else if (reads<Profile>::distance && exponent != 0) {
      fail(measure, "squared distances of these rows, 2^" + std::to_string(std::ilogb(one.summary->mean_squared_distance())) +
                        " in the mean, leave the range of their type: multiply the rows by a constant, or use double");
    }
    return one;
  };
  return std::apply([&](const auto&... one) { return use(std::tuple<layer<T, Profiles>...>{in_unit(one)...}); }, layers);
}

/// Elsewhere than in the host's memory rows stay in their unit.
template <class Exec, class Layers, class Workspace, class Use>
auto with_units(const Exec&, const char*, const Layers& layers, Workspace&, const Use& use) {
  return use(layers);
}

} // namespace dalib::engine
