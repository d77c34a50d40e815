#pragma once
#include <vector>

#include "register_split.hpp"

namespace dalib::ad {

/// A row of numbers, by its distance from a common base, and its factor in a sum.
template <class Scalar>
struct weighted_row {
  simd_integer<Scalar> offset;
  Scalar factor;
};

namespace detail {

/// Adds `sum` to the first `valid` elements from `to` on.
template <int Lanes, class Scalar>
void add_to(Scalar* to, const simd_vector<Scalar, Lanes>& sum, index_t valid) {
  if (valid >= Lanes)
    store_vector<Lanes>(load_vector<Lanes>(to) + sum, to);
  else
    for (index_t i = 0; i < valid; ++i) to[i] += sum[i];
}

template <class Scalar, int Full, int TailLanes>
void add_weighted(const Scalar* base, const weighted_row<Scalar>* terms, index_t count, Scalar* out, index_t columns) {
  constexpr int lanes = simd_lanes<Scalar>;
  constexpr int tail = TailLanes == 0 ? lanes : TailLanes;
  constexpr int vectors = Full + (TailLanes > 0 ? 1 : 0);
  constexpr int chains = vectors >= 4 ? 1 : 4 / vectors; // independent sums hide the latency of the additions
  simd_vector<Scalar, lanes> sum[chains][Full == 0 ? 1 : Full] = {};
  simd_vector<Scalar, tail> rest[chains] = {};
  const auto add_term = [&](int chain, const weighted_row<Scalar>& term) {
    const Scalar* row = base + term.offset;
#pragma GCC unroll 8
    for (int v = 0; v < Full; ++v) sum[chain][v] += term.factor * load_vector<lanes>(row + v * lanes);
    if constexpr (TailLanes > 0) rest[chain] += term.factor * load_vector<tail>(row + Full * lanes);
  };
  index_t i = 0;
  for (; i + chains <= count; i += chains)
#pragma GCC unroll 8
    for (int chain = 0; chain < chains; ++chain) add_term(chain, terms[i + chain]);
  for (; i < count; ++i) add_term(0, terms[i]);
#pragma GCC unroll 8
  for (int chain = 1; chain < chains; ++chain) {
#pragma GCC unroll 8
    for (int v = 0; v < Full; ++v) sum[0][v] += sum[chain][v];
    rest[0] += rest[chain];
  }
#pragma GCC unroll 8
  for (int v = 0; v < Full; ++v) add_to<lanes>(out + v * lanes, sum[0][v], columns - v * lanes);
  if constexpr (TailLanes > 0) add_to<tail>(out + Full * lanes, rest[0], columns - Full * lanes);
}

template <class Scalar>
using weighted_kernel = void (*)(const Scalar*, const weighted_row<Scalar>*, index_t, Scalar*, index_t);

} // namespace detail

/// out[0, columns) += sum of factor * (base + offset)[0, columns) over the terms, accumulated in registers.
/// Whole vectors are read, so rows need readable slack behind them.
template <class Scalar>
class weighted_sum {
public:
  explicit weighted_sum(index_t columns) : columns_(columns) {
    for (index_t first = 0; first < columns; first += widest) {
      const register_split<Scalar> split(std::min(widest, columns - first));
      kernels_.push_back(compiled_for<Scalar, most_registers>(
          split, [](auto full, auto tail) -> detail::weighted_kernel<Scalar> { return detail::add_weighted<Scalar, full, tail>; }));
    }
  }

  void operator()(const Scalar* base, const weighted_row<Scalar>* terms, index_t count, Scalar* out) const {
    index_t first = 0;
    for (const auto kernel : kernels_) {
      kernel(base + first, terms, count, out + first, std::min(widest, columns_ - first));
      first += widest;
    }
  }

private:
  static constexpr int most_registers = 8;
  static constexpr index_t widest = most_registers * simd_lanes<Scalar>;

  index_t columns_;
  std::vector<detail::weighted_kernel<Scalar>> kernels_;
};

} // namespace dalib::ad
