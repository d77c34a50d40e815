/// @file
/// Pair statistics: what a kernel is a function of. Each is computed from one tile of inner products of centred rows, or feature by
/// feature.
#pragma once

#include "dalib/simd/pack.hpp"

#include <cmath>

namespace dalib {

/// Per-row numbers from which a statistic is made of the Gram entry of two centred rows. z = z_c + m, m the mean of all rows.
template <class T>
struct row_terms {
  T norm = T(0);         ///< |z_c|^2
  T shift = T(0);        ///< m . z_c + |m|^2 / 2, so that x . y = x_c . y_c + shift_x + shift_y
  T inverse_norm = T(0); ///< 1 / |z|, or 0 for a zero row
};

/// What a pair's slope does to the gradients: row x receives `pull * y + self_x * x`, row y receives `pull * x + self_y * y`.
template <class T>
struct pair_pull {
  T pull;
  T self_x;
  T self_y;
};

/// s = |x - y|^2. A pair at distance 0 contributes no gradient, whatever the kernel's slope is there.
///
/// @code{.cpp}
/// const double x = 3, y = 1; // two centred rows of one feature
/// const row_terms<double> of_x{.norm = x * x}, of_y{.norm = y * y};
/// const double s = squared_distance::value(x * y, of_x, of_y);
/// const pair_pull<double> p = squared_distance::pull(1.0, s, of_x, of_y); // slope ds/ds = 1
/// assert(s == 4 && p.pull * y + p.self_x * x == 2 * (x - y));
/// @endcode
struct squared_distance {
  static constexpr bool from_gram = true;
  static constexpr bool translation_invariant = true;

  template <class T>
  DALIB_HD static T value(const T& gram, const row_terms<T>& x, const row_terms<T>& y) {
    return maximum(x.norm + y.norm - T(2) * gram, T(0));
  }
  template <class T>
  DALIB_HD static pair_pull<T> pull(const T& slope, const T& s, const row_terms<T>&, const row_terms<T>&) {
    const T twice = T(2) * where_nonzero(s, slope);
    return {-twice, twice, twice};
  }
};

/// s = x . y.
///
/// @code{.cpp}
/// const row_terms<double> zero; // rows around the mean 0
/// assert(inner_product::value(6.0, zero, zero) == 6 && inner_product::pull(1.0, 6.0, zero, zero).pull == 1);
/// @endcode
struct inner_product {
  static constexpr bool from_gram = true;
  static constexpr bool translation_invariant = false;

  template <class T>
  DALIB_HD static T value(const T& gram, const row_terms<T>& x, const row_terms<T>& y) {
    return gram + x.shift + y.shift;
  }
  template <class T>
  DALIB_HD static pair_pull<T> pull(const T& slope, const T&, const row_terms<T>&, const row_terms<T>&) {
    return {slope, T(0), T(0)};
  }
};

/// @internal
/// s = x . y up to terms of one of the rows alone: the inner product of rows around their mean. It may stand for inner_product where such
/// terms cancel; see kernel::centred_terms.
struct centred_inner_product {
  static constexpr bool from_gram = true;
  static constexpr bool translation_invariant = true;

  template <class T>
  DALIB_HD static T value(const T& gram, const row_terms<T>&, const row_terms<T>&) {
    return gram;
  }
  template <class T>
  DALIB_HD static pair_pull<T> pull(const T& slope, const T&, const row_terms<T>&, const row_terms<T>&) {
    return {slope, T(0), T(0)};
  }
};

/// s = x . y / (|x| |y|); 0 if either row is zero.
///
/// @code{.cpp}
/// const row_terms<double> of_x{.inverse_norm = 0.5}, of_y{.inverse_norm = 0.25}; // |x| = 2, |y| = 4
/// assert(cosine_similarity::value(8.0, of_x, of_y) == 1);                        // parallel
/// assert(cosine_similarity::pull(1.0, 1.0, of_x, of_y).self_x == -0.25);
/// @endcode
struct cosine_similarity {
  static constexpr bool from_gram = true;
  static constexpr bool translation_invariant = false;

  template <class T>
  DALIB_HD static T value(const T& gram, const row_terms<T>& x, const row_terms<T>& y) {
    return (gram + x.shift + y.shift) * (x.inverse_norm * y.inverse_norm);
  }
  template <class T>
  DALIB_HD static pair_pull<T> pull(const T& slope, const T& s, const row_terms<T>& x, const row_terms<T>& y) {
    const T along = -(slope * s);
    return {slope * (x.inverse_norm * y.inverse_norm), along * x.inverse_norm * x.inverse_norm, along * y.inverse_norm * y.inverse_norm};
  }
};

/// s = |x - y|_1, feature by feature; its derivative is taken as 0 where two features are equal. A statistic that adds up over the
/// features, s = sum_f phi(x_f, y_f), is given by its `term` phi and the `slope` of phi with respect to its first argument; phi is
/// symmetric and phi(0, 0) = 0. See additive_statistics.hpp for others.
///
/// @code{.cpp}
/// const Eigen::RowVectorXd zs = Eigen::RowVectorXd::Zero(4), zt = Eigen::RowVectorXd::Constant(4, 0.5);
/// const auto value = mmd(kernel::laplacian_l1{.scale = 2}, estimator::biased{})(zs, zt);
/// assert(std::abs(value - (2 - 2 * std::exp(-1))) < 1e-14); // |x - y|_1 = 2
/// static_assert(std::is_same_v<kernel::laplacian_l1::statistic, l1_distance>);
/// @endcode
struct l1_distance {
  static constexpr bool from_gram = false;
  static constexpr bool translation_invariant = true;

  template <class T>
  DALIB_HD static T term(const T& x, const T& y) {
    const T d = x - y;
    return select(d < T(0), -d, d);
  }
  template <class T>
  DALIB_HD static T slope(const T& x, const T& y) {
    return select(x > y, T(1), select(x < y, T(-1), T(0)));
  }
};

} // namespace dalib
