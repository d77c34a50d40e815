/// @file
/// Softmax, entropy and what losses of predictions need of them, for rows of class scores; on a scalar (one row) and on a pack.
#pragma once

#include "dalib/engine/row/softmax.hpp"

#include <cmath>

namespace dalib::engine {

/// What a softmax leaves besides its probabilities.
template <class V>
struct softmax_summary {
  V place;      ///< class of the largest score
  V complement; ///< sum of the other classes' probabilities: 1 - p of that class, with all its digits
  V log_total;  ///< log sum_c e^(x_c - max)
};

/// Replaces scores by p = softmax(scores * sharpness), and leaves in `gap` how far each scaled score lies below the largest: so
/// log p_c = -(gap_c + log_total). Finite for any finite scores.
template <class V>
DALIB_HD softmax_summary<V> softmax_with_gaps(const class_column<V>& scores, const class_column<V>& gap, const V& sharpness = V(1)) {
  using std::log1p;
  const top_score<V> top = top_of(scores);
  class_sum<V> others;
  for (index_t c = 0; c < scores.classes; ++c) {
    const split_number<V> below = exact_difference(scores[c], top.score);
    const V e = exp_of(split_number<V>{below.high * sharpness, below.low * sharpness});
    gap.set(c, -below.high * sharpness);
    scores.set(c, e);
    others.add(c, where_equal(V(c), top.place, V(0), e));
  }
  const V inverse = V(1) / (V(1) + others.value());
  for (index_t c = 0; c < scores.classes; ++c) scores.set(c, scores[c] * inverse);
  return {top.place, others.value() * inverse, log1p(others.value())};
}

/// 1 - p_c with all its digits.
template <class V>
DALIB_HD V complement_of(const class_column<V>& p, const softmax_summary<V>& summary, index_t c) {
  return where_equal(V(c), summary.place, summary.complement, V(1) - p[c]);
}

/// Entropy -sum p log p of a softmax_with_gaps; 0 log 0 = 0. No term is negative.
template <class V>
DALIB_HD V entropy_of(const class_column<V>& p, const class_column<V>& gap, const softmax_summary<V>& summary) {
  class_sum<V> sum;
  for (index_t c = 0; c < p.classes; ++c) sum.add(c, where_nonzero(p[c], p[c] * gap[c]));
  return summary.log_total + sum.value();
}

/// -sum p log(p + offset).
template <class V>
DALIB_HD V entropy_with_offset(const class_column<V>& p, const V& offset) {
  using std::log;
  class_sum<V> sum;
  for (index_t c = 0; c < p.classes; ++c) sum.add(c, p[c] * log(p[c] + offset));
  return -sum.value();
}

/// -sum p log(p + offset) of a softmax_with_gaps; an offset of 0 is none.
template <class V>
DALIB_HD V entropy_of(const class_column<V>& p, const class_column<V>& gap, const softmax_summary<V>& summary, element_of<V> offset) {
  return offset > element_of<V>(0) ? entropy_with_offset(p, V(offset)) : entropy_of(p, gap, summary);
}

/// The slope of entropy_with_offset with respect to p_c.
template <class V>
DALIB_HD V slope_with_offset(const V& p, const V& offset) {
  using std::log;
  return -(log(p + offset) + p / (p + offset));
}

/// One of a table's numbers for the class that each lane of `place` holds.
template <class V>
DALIB_HD V table_at(const element_of<V>* table, const V& place) {
  element_of<V> lanes[lanes_of<V>];
  store_lanes(place, lanes);
  for (index_t lane = 0; lane < lanes_of<V>; ++lane) lanes[lane] = table[static_cast<index_t>(lanes[lane])];
  return load_lanes<V>(lanes);
}

} // namespace dalib::engine
