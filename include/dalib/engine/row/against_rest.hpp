/// @file
/// One class against all others: its logit, the sigmoid of it and the binary cross-entropy, on a scalar (one row) or a pack (a register of
/// rows).
#pragma once

#include "dalib/engine/row/softmax.hpp"

#include <cmath>
#include <limits>

namespace dalib::engine {

/// A constant, which a device may read: the function that gives it is the host's.
template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

/// One class against all others: softmax_k = sigmoid(logit).
template <class V>
struct one_against_rest {
  split_number<V> logit; ///< x_k - log sum_{c != k} e^x_c
  V inverse;             ///< 1 over the sum of what stands in the column now
};

/// Finds the logit of class k of each row against the others, exact however near softmax_k is to 0 or 1. Leaves in place of the scores
/// terms that are proportional to the others' shares, and 0 at k. Needs two classes.
template <class V>
DALIB_HD one_against_rest<V> against_rest_in_place(const class_column<V>& scores, const V& k) {
  using std::exp;
  using std::log;
  const V lowest = V(-infinity<element_of<V>>);
  V own = V(0), largest = lowest;
  for (index_t c = 0; c < scores.classes; ++c) {
    own = where_equal(V(c), k, scores[c], own);
    largest = maximum(largest, where_equal(V(c), k, lowest, scores[c]));
  }
  class_sum<V> sum;
  for (index_t c = 0; c < scores.classes; ++c) {
    const V e = exp(where_equal(V(c), k, lowest, scores[c] - largest));
    scores.set(c, e);
    sum.add(c, e);
  }
  const V total = sum.value();
  const split_number<V> apart = exact_difference(own, largest), logit = exact_difference(apart.high, log(total));
  return {{logit.high, apart.low + logit.low}, V(1) / total};
}

/// sigmoid(x) and 1 - sigmoid(x), each with all its digits, and e^-|x|.
template <class V>
struct split_sigmoid {
  V sigmoid;
  V complement;
  V smaller;
};
template <class V>
[[gnu::always_inline]] inline DALIB_HD split_sigmoid<V> sigmoid_of(const split_number<V>& x) {
  using std::abs;
  const V zero(0), e = exp_of(split_number<V>{-abs(x.high), where_greater(x.high, zero, -x.low, x.low)});
  const V larger = V(1) / (V(1) + e), rest = e * larger;
  return {where_greater(x.high, zero, larger, rest), where_greater(x.high, zero, rest, larger), e};
}

/// Binary cross-entropy of a logit that is known to more than one number, as `dalib::binary_cross_entropy`.
template <class V>
[[gnu::always_inline]] inline DALIB_HD V binary_cross_entropy(const split_number<V>& logit, bool label, V& slope) {
  using std::log1p;
  const split_sigmoid<V> s = sigmoid_of(logit);
  slope = label ? -s.complement : s.sigmoid;
  const V x = label ? -logit.high : logit.high;
  return where_greater(x, V(0), x, V(0)) + log1p(s.smaller);
}

/// The same for a label between 0 and 1: label softplus(-x) + (1 - label) softplus(x).
template <class V>
[[gnu::always_inline]] inline DALIB_HD V binary_cross_entropy(const split_number<V>& logit, const V& label, V& slope) {
  using std::log1p;
  const split_sigmoid<V> s = sigmoid_of(logit);
  const V rest = V(1) - label, down = where_greater(logit.high, V(0), V(0), -logit.high);
  slope = rest * s.sigmoid - label * s.complement;
  return label * down + rest * (logit.high + down) + log1p(s.smaller);
}

/// Gradient of a function of that logit with slope `slope`, in place of the terms: slope at k, -slope times the others' shares elsewhere.
template <class V>
DALIB_HD void pull_against_rest(const class_column<V>& terms, const V& k, const V& slope, const V& inverse) {
  const V down = -slope * inverse;
  for (index_t c = 0; c < terms.classes; ++c) terms.set(c, where_equal(V(c), k, slope, down * terms[c]));
}

} // namespace dalib::engine
