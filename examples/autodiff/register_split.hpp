#pragma once
#include <type_traits>

#include <dalib/simd/vector_memory.hpp>

namespace dalib::ad {

/// `columns` neighbours as whole registers and a narrower one for the rest, so that few lanes are idle. Whole registers are read, so there
/// must be readable memory behind the last column.
template <class Scalar>
struct register_split {
  int full = 0;       ///< registers of simd_lanes<Scalar>
  int tail_lanes = 0; ///< lanes of the narrower register behind them, 0 for none

  explicit constexpr register_split(index_t columns)
      : full(static_cast<int>(columns / simd_lanes<Scalar>)), tail_lanes(static_cast<int>(columns % simd_lanes<Scalar>)) {
    if (tail_lanes == 0) return;
    int lanes = fewest_lanes<Scalar>;
    while (lanes < tail_lanes) lanes *= 2;
    full += lanes == simd_lanes<Scalar> ? 1 : 0;
    tail_lanes = lanes == simd_lanes<Scalar> ? 0 : lanes;
  }

  int registers() const { return full + (tail_lanes > 0 ? 1 : 0); }
  /// Columns that are read.
  index_t padded() const { return index_t{full} * simd_lanes<Scalar> + tail_lanes; }
};

/// make(full, tail lanes) with both as integral constants: what is compiled for a split of at most `Most` registers, at least one.
template <class Scalar, int Most, int Full = 0, class Make>
auto compiled_for(const register_split<Scalar>& split, const Make& make) {
  constexpr int widest = simd_lanes<Scalar>, narrowest = fewest_lanes<Scalar>;
  if constexpr (Full < Most) {
    if (split.full > Full) return compiled_for<Scalar, Most, Full + 1>(split, make);
    constexpr std::integral_constant<int, Full> full;
    if constexpr (widest > narrowest)
      if (split.tail_lanes == narrowest) return make(full, std::integral_constant<int, narrowest>{});
    if constexpr (widest > 2 * narrowest)
      if (split.tail_lanes == 2 * narrowest) return make(full, std::integral_constant<int, 2 * narrowest>{});
  }
  return make(std::integral_constant<int, Full == 0 ? 1 : Full>{}, std::integral_constant<int, 0>{});
}

} // namespace dalib::ad
