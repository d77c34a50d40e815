/// @file
/// Softmax and its relatives on rows of class scores. Every function works on a scalar (one row) and on a pack (a register of rows).
#pragma once

#include "dalib/engine/row/class_column.hpp"

#include <cmath>

namespace dalib::engine {

/// Largest score of each row and its class.
template <class V>
struct top_score {
  V place; ///< the first of several; always a valid class, also if scores are NaN
  V score;
};

template <class V>
DALIB_HD top_score<V> top_of(const class_column<V>& scores) {
  V best = scores[0], place = V(0);
  for (index_t c = 1; c < scores.classes; ++c) {
    const V score = scores[c];
    place = where_greater(score, best, V(c), place);
    best = maximum(best, score);
  }
  return {place, best};
}

/// Place of the largest score.
template <class V>
DALIB_HD V top_class(const class_column<V>& scores) {
  return top_of(scores).place;
}

/// A difference of two numbers, exactly: high + low, where low is what rounding took.
template <class V>
struct split_number {
  V high;
  V low;
};

/// x - y. The rounding of a difference of logits would be a relative error of its exponential: 40 roundings for e^-80. A difference with an
/// infinite number has no low.
template <class V>
[[gnu::always_inline]] inline DALIB_HD split_number<V> exact_difference(const V& x, const V& y) {
  const V high = as_written(x - y), back = as_written(high - x);
  return {high, as_written(x - as_written(high - back)) - as_written(y + back)};
}

/// e^(high + low), without `low` where that is no number.
template <class V>
[[gnu::always_inline]] inline DALIB_HD V exp_of(const split_number<V>& x) {
  using std::exp;
  const V e = exp(x.high);
  return e + where_nonzero(e, e * x.low);
}

/// Largest score of each row.
template <class V>
DALIB_HD V largest_of(const class_column<V>& scores) {
  V largest = scores[0];
  for (index_t c = 1; c < scores.classes; ++c) largest = maximum(largest, scores[c]);
  return largest;
}

/// A score less the largest one, and its exponential with all its digits.
template <class V>
struct relative_score {
  split_number<V> x;
  V e;
};
template <class V>
[[gnu::always_inline]] inline DALIB_HD relative_score<V> relative_to(const V& score, const V& largest) {
  const split_number<V> x = exact_difference(score, largest);
  return {x, exp_of(x)};
}

/// A sum over the classes, in runs: rounding grows with the run's length and not with the number of classes.
template <class V>
class class_sum {
public:
  /// Adds the summand of class c; classes come in order.
  [[gnu::always_inline]] DALIB_HD void add(index_t c, const V& summand) {
    run_ = run_ + summand;
    if (c % length == length - 1) {
      total_ = total_ + run_;
      run_ = V(0);
    }
  }
  DALIB_HD V value() const { return total_ + run_; }

private:
  static constexpr index_t length = 16;
  V run_ = V(0);
  V total_ = V(0);
};

/// |x| up to which e^x - 1 is taken from its series: beyond it the difference with 1 costs two bits.
template <class V>
inline constexpr element_of<V> series_radius = element_of<V>(0.35);

namespace detail {
/// The series of e^x from its term K on, over x^K.
template <int K, int Last, class V>
[[gnu::always_inline]] inline DALIB_HD V exp_series(const V& x) {
  constexpr auto coefficient = dalib::detail::inverse_factorial<element_of<V>>(K);
  if constexpr (K == Last)
    return V(coefficient);
  else
    return V(coefficient) + x * exp_series<K + 1, Last>(x);
}
} // namespace detail

/// e^x - 1 to a few roundings for |x| <= series_radius.
template <class V>
[[gnu::always_inline]] inline DALIB_HD V expm1_near_zero(const V& x) {
  return x * detail::exp_series < 1, sizeof(element_of<V>) == sizeof(float) ? 7 : 13 > (x);
}

/// Replaces logits by softmax probabilities, each with all its digits however small; finite for any finite logits.
template <class V>
DALIB_HD void softmax_in_place(const class_column<V>& logits) {
  const V largest = largest_of(logits);
  class_sum<V> total;
  for (index_t c = 0; c < logits.classes; ++c) {
    const V e = relative_to(logits[c], largest).e;
    logits.set(c, e);
    total.add(c, e);
  }
  const V inverse = V(1) / total.value();
  for (index_t c = 0; c < logits.classes; ++c) logits.set(c, logits[c] * inverse);
}

/// What stands for 1/C in a plain part below: sums of it and of ones are exact, and both can be told from them.
template <class T>
inline constexpr T uniform_mark = T(0x1p-30);

/// Splits the softmax of each row into a plain part, in place of the logits, and a `rest` with all its digits, so that differences of sums
/// over the rows keep theirs: 1/C (as uniform_mark) where predictions are nearly uniform, 1 for a class with more than half, else 0. With
/// x' = e^(x - max) - 1 and S = sum (x' + 1) the rests are (x' - mean x') / S, and minus the shares of the others.
template <class V>
DALIB_HD void split_softmax(const class_column<V>& logits, const class_column<V>& rest) {
  const V zero(0), one(1);
  const top_score<V> top = top_of(logits);
  class_sum<V> excess, others;
  for (index_t c = 0; c < logits.classes; ++c) {
    const auto [x, e] = relative_to(logits[c], top.score);
    const V above_one = where_greater(x.high, V(-series_radius<V>), expm1_near_zero(x.high), e - one);
    logits.set(c, e);
    rest.set(c, above_one);
    excess.add(c, above_one);
    others.add(c, where_equal(V(c), top.place, zero, e));
  }
  const V total = one + others.value(), inverse = one / total, mean = excess.value() / V(logits.classes);
  const V uniform = where_greater(mean, V(-series_radius<V>), V(uniform_mark<element_of<V>>), zero);
  const V top_plain = where_greater(uniform, zero, uniform, where_greater(one, others.value(), one, zero));
  const V top_rest = where_greater(one, others.value(), -others.value(), one) * inverse;
  for (index_t c = 0; c < logits.classes; ++c) {
    const V from_zero = where_equal(V(c), top.place, top_rest, logits[c] * inverse);
    rest.set(c, where_greater(uniform, zero, (rest[c] - mean) * inverse, from_zero));
    logits.set(c, where_equal(V(c), top.place, top_plain, uniform));
  }
}

/// Replaces two tensors' logits by probabilities p and q, and leaves p - q, which rounding does not swamp where they nearly agree or are
/// near 1: with e = e^(x - max) and S = sum e, p - q = (e_p - e_q) / S_p - q (S_p - S_q) / S_p.
template <class V>
DALIB_HD void softmax_pair_in_place(const class_column<V>& first, const class_column<V>& second, const class_column<V>& difference) {
  using std::abs;
  const V largest_first = largest_of(first), largest_second = largest_of(second);
  class_sum<V> total_first, total_second, gap;
  for (index_t c = 0; c < first.classes; ++c) {
    const auto [x, ex] = relative_to(first[c], largest_first);
    const auto [y, ey] = relative_to(second[c], largest_second);
    const V apart = as_written(x.high - y.high) + as_written(x.low - y.low);
    const V d = where_greater(V(series_radius<V>), abs(apart), ey * expm1_near_zero(apart), ex - ey);
    first.set(c, ex);
    second.set(c, ey);
    difference.set(c, d);
    total_first.add(c, ex);
    total_second.add(c, ey);
    gap.add(c, d);
  }
  const V inverse_first = V(1) / total_first.value(), inverse_second = V(1) / total_second.value();
  const V shift = gap.value() * inverse_first;
  for (index_t c = 0; c < first.classes; ++c) {
    const V q = second[c] * inverse_second;
    first.set(c, first[c] * inverse_first);
    second.set(c, q);
    difference.set(c, difference[c] * inverse_first - q * shift);
  }
}

/// KL(p | q) of the softmaxes of two tensors' logits, sum p log(p / q) - (p - q), of which no term is negative; finite for any finite
/// logits. Leaves p, q and p - q as softmax_pair_in_place.
template <class V>
DALIB_HD V divergence_in_place(const class_column<V>& first, const class_column<V>& second, const class_column<V>& difference,
                               const class_column<V>& ratio) {
  using std::abs;
  using std::log;
  using std::log1p;
  const V largest_first = largest_of(first), largest_second = largest_of(second);
  for (index_t c = 0; c < first.classes; ++c) ratio.set(c, (first[c] - largest_first) - (second[c] - largest_second));
  softmax_pair_in_place(first, second, difference);
  const V shift = log(largest_of(first)) - log(largest_of(second));
  class_sum<V> sum;
  for (index_t c = 0; c < first.classes; ++c) {
    const V p = first[c], apart = difference[c] / p; // near p = q the difference has digits that log p - log q has not
    sum.add(c, where_nonzero(p, p * where_greater(V(0.5), abs(apart), -log1p(-apart), ratio[c] + shift)) - difference[c]);
  }
  return sum.value();
}

/// Pulls a gradient w with respect to probabilities back to the logits, in place of the probabilities p: p_c (w_c - sum_k p_k w_k), times
/// `factor`. `relative(c)` gives w_c less the w of the largest p: so nothing cancels where p is near 1.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable // with a pack it runs on the host alone, and so do the slopes
#endif
template <class V, class Relative>
DALIB_HD void pull_relative_slopes(const class_column<V>& p, const V& factor, const Relative& relative) {
  class_sum<V> sum;
  for (index_t c = 0; c < p.classes; ++c) sum.add(c, p[c] * relative(c));
  const V mean = sum.value();
  for (index_t c = 0; c < p.classes; ++c) p.set(c, factor * p[c] * (as_written(relative(c)) - mean));
}

/// The number that `of(c)` gives for the class of the largest p of each row.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable
#endif
template <class V, class Of>
DALIB_HD V at_largest(const class_column<V>& p, const Of& of) {
  V largest = p[0], found = of(0);
  for (index_t c = 1; c < p.classes; ++c) {
    const V share = p[c];
    found = where_greater(share, largest, of(c), found);
    largest = maximum(largest, share);
  }
  return found;
}

/// The same with slopes as they are: `slope(c)` gives w_c.
#if defined(__CUDACC__)
#  pragma nv_exec_check_disable
#endif
template <class V, class Slope>
DALIB_HD void pull_softmax(const class_column<V>& p, const V& factor, const Slope& slope) {
  const V top = at_largest(p, slope);
  pull_relative_slopes(p, factor, [&](index_t c) { return slope(c) - top; });
}

} // namespace dalib::engine
