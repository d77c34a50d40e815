/// @file
/// Softmax and its relatives on rows of class scores. Every function works on a scalar (one row) and on a pack (a register of rows).
#pragma once

#include "dalib/engine/class_tile.hpp"

#include <cmath>
#include <limits>

namespace dalib::engine {

/// A constant, which a device may read: the function that gives it is the host's.
template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

/// Place of the largest score, the first of several; always a valid class, also if scores are NaN.
template <class V>
DALIB_HD V top_class(const class_column<V>& scores) {
  V best = scores[0], place = V(0);
  for (index_t c = 1; c < scores.classes; ++c) {
    const V score = scores[c];
    place = where_greater(score, best, V(c), place);
    best = maximum(best, score);
  }
  return place;
}

/// Writes each row's value at the class that `place` holds for it.
template <class V>
DALIB_HD void set_class(const class_column<V>& column, const V& place, const V& value) {
  element_of<V> places[lanes_of<V>], values[lanes_of<V>];
  store_lanes(place, places);
  store_lanes(value, values);
  for (index_t lane = 0; lane < lanes_of<V>; ++lane) column.data[static_cast<index_t>(places[lane]) * column.stride + lane] = values[lane];
}

/// Replaces logits by softmax probabilities; finite for any finite logits.
template <class V>
DALIB_HD void softmax_in_place(const class_column<V>& logits) {
  using std::exp;
  V largest = logits[0], total = V(0);
  for (index_t c = 1; c < logits.classes; ++c) largest = maximum(largest, logits[c]);
  for (index_t c = 0; c < logits.classes; ++c) {
    const V e = exp(logits[c] - largest);
    logits.set(c, e);
    total = total + e;
  }
  const V inverse = V(1) / total;
  for (index_t c = 0; c < logits.classes; ++c) logits.set(c, logits[c] * inverse);
}

/// Pulls a gradient with respect to probabilities back to the logits, in place of the probabilities p: p_c (w_c - sum_k p_k w_k), times
/// `factor`. The result sums to 0 over the classes; the largest entry of p is found from that, because its own formula cancels where p
/// is near 1. `slope(c)` gives w_c.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable // with a pack it runs on the host alone, and so do the slopes
#endif
template <class V, class Slope>
DALIB_HD void pull_softmax(const class_column<V>& p, const V& factor, const Slope& slope) {
  const V top = top_class(p);
  V mean = V(0), others = V(0);
  for (index_t c = 0; c < p.classes; ++c) mean = mean + p[c] * slope(c);
  for (index_t c = 0; c < p.classes; ++c) {
    const V g = where_equal(V(c), top, V(0), factor * p[c] * (slope(c) - mean));
    others = others + g;
    p.set(c, g);
  }
  set_class(p, top, -others);
}

/// One class against all others: softmax_k = sigmoid(logit).
template <class V>
struct one_against_rest {
  V logit;   ///< x_k - log sum_{c != k} e^x_c
  V inverse; ///< 1 over the sum of what stands in the column now
};

/// Finds the logit of class k of each row against the others, exact however near softmax_k is to 0 or 1. Leaves in place of the scores
/// terms that are proportional to the others' shares, and 0 at k. Needs two classes.
template <class V>
DALIB_HD one_against_rest<V> against_rest_in_place(const class_column<V>& scores, const V& k) {
  using std::exp;
  using std::log;
  const V lowest = V(-infinity<element_of<V>>);
  V own = V(0), largest = lowest, total = V(0);
  for (index_t c = 0; c < scores.classes; ++c) {
    own = where_equal(V(c), k, scores[c], own);
    largest = maximum(largest, where_equal(V(c), k, lowest, scores[c]));
  }
  for (index_t c = 0; c < scores.classes; ++c) {
    const V e = exp(where_equal(V(c), k, lowest, scores[c] - largest));
    scores.set(c, e);
    total = total + e;
  }
  return {(own - largest) - log(total), V(1) / total};
}

/// Gradient of a function of that logit with slope `slope`, in place of the terms: slope at k, -slope times the others' shares elsewhere.
template <class V>
DALIB_HD void pull_against_rest(const class_column<V>& terms, const V& k, const V& slope, const V& inverse) {
  const V down = -slope * inverse;
  for (index_t c = 0; c < terms.classes; ++c) terms.set(c, where_equal(V(c), k, slope, down * terms[c]));
}

} // namespace dalib::engine
