/// @file
/// When norms and an inner product no longer tell a distance.
#pragma once

#include "dalib/config.hpp"

namespace dalib::engine {

/// Below this part of |x|^2 + |y|^2 a squared distance counts as close: above it its relative rounding is below 1.5e-5 (float), 3e-13
/// (double), of one pair among all of its row.
template <class T>
inline constexpr T close_ratio = static_cast<T>(sizeof(T) == 4 ? 1.0 / 128 : 1.0 / 1024);
/// Below this part a pair is pulled by differences of the data. Above it the distance of the centred rows and their pulls lose at most
/// 64 (float) or 256 (double) roundings of the pair's own share.
template <class T>
inline constexpr T near_ratio = static_cast<T>(sizeof(T) == 4 ? 1.0 / 4096 : 1.0 / 65536);

namespace detail {
/// Below 0 if two rows of these norms are close.
template <class T>
DALIB_HD T closeness(T norm, T other_norm, T gram) {
  return (norm + other_norm) * (T(1) - close_ratio<T>)-T(2) * gram;
}
} // namespace detail

} // namespace dalib::engine
