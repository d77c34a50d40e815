/// @file
/// What the statistics of a quadruple's pairs are made of: sums over the features of its rows, as they are given.
#pragma once

#include "dalib/kernel/bind.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/simd/partial_sums.hpp"

#include <cmath>
#include <type_traits>

namespace dalib::engine {

/// The rows of pair p of a quadruple, whose rows s_i, s_j, t_i, t_j are 0..3: (0, 1), (2, 3), (0, 3), (1, 2).
DALIB_HD constexpr int pair_row_x(int p) { return p == 1 ? 2 : (p == 3 ? 1 : 0); }
DALIB_HD constexpr int pair_row_y(int p) { return p == 0 ? 1 : (p == 3 ? 2 : 3); }

/// The pair that row r makes with the other row of its domain (side 0) or with one of the other domain (side 1), and that row.
DALIB_HD constexpr int pair_of_row(int r, int side) { return side == 0 ? r / 2 : (r == 0 || r == 3 ? 2 : 3); }
DALIB_HD constexpr int partner_of_row(int r, int side) { return side == 0 ? r ^ 1 : 3 - r; }

template <class S>
inline constexpr bool is_linear = std::is_same_v<S, centred_inner_product>;

/// Which sums over the features the statistics of a kernel are made of.
template <class List>
struct quadruple_reads;
template <class... S>
struct quadruple_reads<type_list<S...>> {
  static constexpr bool distance = (std::is_same_v<S, squared_distance> || ...);
  static constexpr bool added = (!S::from_gram || ...);
  using additive = typename additive_of<type_list<S...>>::type;
  /// Inner products of the rows themselves: statistics that a shift of all rows changes.
  static constexpr bool raw = ((S::from_gram && !S::translation_invariant) || ...);
  /// Inner products of the rows less one of them: other statistics that no shift changes.
  static constexpr bool local =
      ((S::from_gram && S::translation_invariant && !std::is_same_v<S, squared_distance> && !is_linear<S>) || ...);
  /// What the inner products of all four pairs, the other domain's taken away, add up to.
  static constexpr bool linear = (is_linear<S> || ...);
};

namespace detail {

// What is added up for one feature of two rows.
struct squared_difference {
  template <class V>
  DALIB_HD static V of(V x, V y) {
    return (x - y) * (x - y);
  }
};
template <class S>
struct additive_term {
  template <class V>
  DALIB_HD static V of(V x, V y) {
    return S::term(x, y);
  }
};
struct product {
  template <class V>
  DALIB_HD static V of(V x, V y) {
    return x * y;
  }
};

/// Sum of Term over the features of two rows, added in V.
template <class Term, class V, class Row>
DALIB_HD V sum_over_features(const Row& x, const Row& y, index_t features) {
  constexpr int partials = sum_partials<V>;
  V sums[partials] = {};
  for_each_partial<V>(features, [&](index_t f, int p) { sums[p] += Term::of(static_cast<V>(x[f]), static_cast<V>(y[f])); });
  return sum_by_halves(sums);
}

/// The same, added in T; once more in double where T's range may not have held every term.
template <class Term, class T, class Row>
DALIB_HD double sum_of_differences(const Row& x, const Row& y, index_t features) {
  const T sum = sum_over_features<Term, T>(x, y, features);
  if constexpr (!std::is_same_v<T, double>) {
    // A term that underflows is below 2^-149: nothing beside 2^-80. Equal rows give 0 both times.
    if (!(sum > T(0x1p-80) && sum < T(0x1p120))) return sum_over_features<Term, double>(x, y, features);
  }
  return static_cast<double>(sum);
}

/// Inner product of two rows less a third, in double.
template <class Row>
DALIB_HD double local_product(const Row& x, const Row& y, const Row& origin, index_t features) {
  double sum = 0;
  for (index_t f = 0; f < features; ++f) {
    const double o = static_cast<double>(origin[f]);
    sum += (static_cast<double>(x[f]) - o) * (static_cast<double>(y[f]) - o);
  }
  return sum;
}

/// (s - t) . (s' - t') = s . s' + t . t' - s . t' - s' . t, in double.
template <class Row>
DALIB_HD double product_of_differences(const Row (&rows)[4], index_t features) {
  double sum = 0;
  for (index_t f = 0; f < features; ++f)
    sum += (static_cast<double>(rows[0][f]) - static_cast<double>(rows[2][f])) *
           (static_cast<double>(rows[1][f]) - static_cast<double>(rows[3][f]));
  return sum;
}

DALIB_HD inline row_terms<double> terms_of_norm(double norm) {
  using std::sqrt;
  row_terms<double> terms;
  terms.norm = norm;
  terms.inverse_norm = norm > 0 ? 1 / sqrt(norm) : 0;
  return terms;
}

} // namespace detail

/// The sums over the features of one pair of rows.
struct quadruple_sums {
  double squared_distance = 0;
  double added = 0;
  double raw = 0;   ///< x . y
  double local = 0; ///< the same less row 0 of the quadruple
  /// Linear kernels come here only where the four pairs have opposite weights: what they add up to is exact as one product of differences.
  /// It stands in pair 0, the others have 0.
  double linear = 0;
};

} // namespace dalib::engine
