/// @file
/// Tiles of a statistic that adds up over the features, and the pull-back of their slopes to rows.
#pragma once

#include "dalib/engine/host/tile.hpp"
#include "dalib/simd/pack.hpp"

namespace dalib::engine {

/// acc + phi(a, b), the term of one feature.
template <class Statistic>
struct add_term {
  template <class V, class T>
  [[gnu::always_inline]] static void apply(V& acc, const V& a, T b) {
    acc += Statistic::term(pack<T>(a), pack<T>(b)).lanes;
  }
};

/// gradient(own) += sum_other tile(own, other) * slope(own row, other row), feature by feature. O(own other F).
template <class Statistic, class T>
void pull_terms_to_rows(const T* tile, tile_strides strides, const packed_rows<T>& owns, span_of_rows own_rows,
                        const packed_rows<T>& others, span_of_rows other_rows, const gradient_block<T>& target) {
  for (index_t chunk = 0; chunk < owns.chunk_count(); ++chunk)
    for (index_t own = 0; own < own_rows.count; ++own) {
      const T* x = owns.chunk(own_rows.first + own, chunk);
      T* to = target.tile(own, chunk).data;
      for (index_t other = 0; other < other_rows.count; ++other) {
        const T slope = tile[own * strides.own + other * strides.other];
        if (slope == T(0)) continue; // rows that fill a block up, too: nothing is known of their slopes
        const T* y = others.chunk(other_rows.first + other, chunk);
        for (index_t f = 0; f < owns.chunk_width(chunk); f += pack<T>::size)
          (pack<T>::load(to + f) + pack<T>(slope) * Statistic::slope(pack<T>::load(x + f), pack<T>::load(y + f))).store(to + f);
      }
    }
}

} // namespace dalib::engine
