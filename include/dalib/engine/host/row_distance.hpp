/// @file
/// Distances and differences of rows as the caller gave them: exact, since nothing has been rounded before.
#pragma once

#include "dalib/engine/sample/joint_sample.hpp"
#include "dalib/simd/pack.hpp"
#include "dalib/simd/unroll.hpp"

namespace dalib::engine {

/// A row in the caller's memory.
template <class T>
struct given_row {
  const T* data;
  index_t stride;

  static given_row of(const joint_sample<T>& sample, index_t row) {
    const auto& view = sample.view_of_row(row);
    return {&view(sample.place_of_row(row), 0), view.col_stride};
  }
};

/// sum over f of (x_f - y_f)^2. O(features / step).
/// @param step  every step-th feature only; strided rows are looked at one number at a time
template <class T>
DALIB_ONE_COPY T squared_distance_of(given_row<T> x, given_row<T> y, index_t features, index_t step = 1) {
  using vector = pack<T>;
  constexpr int at_once = 4;
  index_t f = 0;
  T total = T(0);
  if (x.stride == 1 && y.stride == 1 && step == 1) {
    vector sums[at_once] = {T(0), T(0), T(0), T(0)};
    const auto add = [&](int v, index_t feature) __attribute__((always_inline)) {
      const vector difference = vector::load(x.data + feature) - vector::load(y.data + feature);
      sums[v].lanes += difference.lanes * difference.lanes;
    };
    for (; f + at_once * vector::size <= features; f += at_once * vector::size)
      dalib::detail::unroll<at_once>([&](auto v) { add(v, f + v * vector::size); });
    for (; f + vector::size <= features; f += vector::size) add(0, f);
    total = ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum();
  }
  for (; f < features; f += step) {
    const T difference = x.data[f * x.stride] - y.data[f * y.stride];
    total += difference * difference;
  }
  return total;
}

/// A row that another one is pulled towards, by its difference times a coefficient.
template <class T>
struct pulling_row {
  given_row<T> row;
  T coefficient;
};

/// sum[f] = sum over the others of coefficient * (x_f - other_f). O(count F).
template <class T>
DALIB_ONE_COPY void sum_differences(given_row<T> x, index_t features, const pulling_row<T>* others, index_t count, T* sum) {
  using vector = pack<T>;
  bool contiguous = x.stride == 1;
  for (index_t i = 0; i < count; ++i) contiguous = contiguous && others[i].row.stride == 1;
  index_t f = 0;
  const auto run = [&](auto vectors) {
    constexpr int size = decltype(vectors)::value;
    for (; f + size * vector::size <= features; f += size * vector::size) {
      vector own[size], sums[size];
      dalib::detail::unroll<size>([&](auto v) {
        own[v] = vector::load(x.data + f + v * vector::size);
        sums[v] = vector(0);
      });
      for (index_t i = 0; i < count; ++i) {
        const vector coefficient(others[i].coefficient);
        const T* other = others[i].row.data + f;
        dalib::detail::unroll<size>(
            [&](auto v) { sums[v].lanes += coefficient.lanes * (own[v].lanes - vector::load(other + v * vector::size).lanes); });
      }
      dalib::detail::unroll<size>([&](auto v) { sums[v].store(sum + f + v * vector::size); });
    }
  };
  if (contiguous) {
    run(std::integral_constant<int, 4>{});
    run(std::integral_constant<int, 1>{});
  }
  for (; f < features; ++f) {
    sum[f] = T(0);
    for (index_t i = 0; i < count; ++i)
      sum[f] += others[i].coefficient * (x.data[f * x.stride] - others[i].row.data[f * others[i].row.stride]);
  }
}

} // namespace dalib::engine
