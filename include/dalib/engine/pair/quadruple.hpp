/// @file
/// One quadruple (s_i, s_j, t_i, t_j) of rows: kernels of its four pairs, and what they do to its rows.
///
/// All is made of differences of the rows as they are given, so that no other row of the sample costs these any accuracy. The few numbers
/// of a pair are in double: squared distances and slopes of float rows leave float's range long before the rows do.
#pragma once

#include "dalib/engine/pair/layer.hpp"
#include "dalib/engine/pair/quadruple_sums.hpp"
#include "dalib/estimator/estimators.hpp"

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace dalib::engine {

/// A kernel on one pair: value, statistics, and slopes with respect to them.
template <std::size_t Count>
struct quadruple_pair {
  double value = 0;
  double statistics[Count] = {};
  double slopes[Count] = {};
};

/// One layer's share of a quadruple: its four rows, and the kernel on its four pairs. @tparam Row gives feature f by [f].
template <class T, class Profile, class Row = const T*>
struct quadruple_layer {
  using list = statistics_of<Profile>;
  using asks = quadruple_reads<list>;

  Row rows[4];
  quadruple_sums sums[4];
  row_terms<double> raw_terms[4], local_terms[4];
  quadruple_pair<list::size> pairs[4];

  /// Finds the sums that the statistics are made of. O(F).
  DALIB_HD void add_up(index_t features) {
    if constexpr (asks::linear) sums[0].linear = detail::product_of_differences(rows, features);
    for (int r = 0; r < 4; ++r) {
      if constexpr (asks::raw)
        raw_terms[r] = detail::terms_of_norm(detail::sum_over_features<detail::product, double>(rows[r], rows[r], features));
      if constexpr (asks::local) local_terms[r] = detail::terms_of_norm(detail::local_product(rows[r], rows[r], rows[0], features));
    }
    for (int p = 0; p < 4; ++p) {
      const Row &x = rows[pair_row_x(p)], &y = rows[pair_row_y(p)];
      if constexpr (asks::distance) sums[p].squared_distance = detail::sum_of_differences<detail::squared_difference, T>(x, y, features);
      if constexpr (asks::added)
        sums[p].added = detail::sum_of_differences<detail::additive_term<typename asks::additive>, T>(x, y, features);
      if constexpr (asks::raw) sums[p].raw = detail::sum_over_features<detail::product, double>(x, y, features);
      if constexpr (asks::local) sums[p].local = detail::local_product(x, y, rows[0], features);
    }
  }

  /// A kernel that reads some of the statistics, on pair p.
  template <class Kernel>
  DALIB_HD quadruple_pair<statistics_of<Kernel>::size> kernel_on(const Kernel& kernel, int p) const {
    using read = statistics_of<Kernel>;
    quadruple_pair<read::size> result;
    fill_statistics(read{}, p, result.statistics);
    const multi_jet<double, read::size> jet = dalib::evaluate<read>(kernel, result.statistics);
    result.value = jet.value;
    for (std::size_t i = 0; i < read::size; ++i) result.slopes[i] = jet.slopes[i];
    return result;
  }

  /// Fills `pairs`. O(F).
  DALIB_HD void evaluate(const Profile& profile, index_t features) {
    add_up(features);
    for (int p = 0; p < 4; ++p) pairs[p] = kernel_on(profile, p);
  }

private:
  template <class... S>
  DALIB_HD void fill_statistics(type_list<S...>, int p, double* to) const {
    ((*to++ = statistic<S>(p)), ...);
  }
  template <class S>
  DALIB_HD double statistic(int p) const {
    const int x = pair_row_x(p), y = pair_row_y(p);
    if constexpr (std::is_same_v<S, squared_distance>)
      return sums[p].squared_distance;
    else if constexpr (!S::from_gram)
      return sums[p].added;
    else if constexpr (is_linear<S>)
      return sums[p].linear;
    else if constexpr (S::translation_invariant)
      return S::value(sums[p].local, local_terms[x], local_terms[y]);
    else
      return S::value(sums[p].raw, raw_terms[x], raw_terms[y]);
  }
};

/// Sum over the pairs of their weight times the product of all layers' kernels.
template <std::size_t Layers>
DALIB_HD double quadruple_value(const quadruple_plan& plan, const double (&values)[Layers][4]) {
  double total = 0;
  for (int p = 0; p < 4; ++p) {
    double product = plan.weight(p);
    for (std::size_t l = 0; l < Layers; ++l) product *= values[l][p];
    total += product;
  }
  return total;
}

/// What pair p's kernel of layer `which` is multiplied by: its weight, `scale`, and the other layers' kernels.
template <std::size_t Layers>
DALIB_HD double quadruple_weight(const quadruple_plan& plan, double scale, const double (&values)[Layers][4], std::size_t which, int p) {
  double weight = plan.weight(p) * scale;
  for (std::size_t m = 0; m < Layers; ++m)
    if (m != which) weight *= values[m][p];
  return weight;
}

/// What a quadruple's rows receive in one layer: for each of its pairs (x, y) the coefficients of what both rows are made to differ by.
struct quadruple_pulls {
  double difference[4] = {}; ///< x receives difference * (x - y), y the opposite
  double added[4] = {}; ///< x receives added * the slope of the statistic that adds up, with respect to x, and y that with respect to y
  double other[4] = {}; ///< x receives other * y, y receives other * x
  double own_x[4] = {}; ///< x receives own_x * x
  double own_y[4] = {}; ///< y receives own_y * y
  double linear = 0;    ///< a row receives linear * (the other of its domain - the one of the other domain that it makes a pair with)

  /// Sets pair p, whose kernel counts `weight`.
  template <class Layer>
  DALIB_HD void set(const Layer& layer, int p, double weight) {
    set_each(typename Layer::list{}, layer, p, weight);
  }

  /// Whether all coefficients of differences, and products with rows, are in the range of T as far as their result is.
  template <class T>
  DALIB_HD bool fit() const {
    if constexpr (std::is_same_v<T, double>) return true;
    bool result = fits(linear);
    for (int p = 0; p < 4; ++p) result = result && fits(difference[p]) && fits(added[p]);
    return result;
  }

private:
  DALIB_HD static bool fits(double c) {
    const double size = c < 0 ? -c : c;
    return size == 0 || (size > 0x1p-80 && size < 0x1p80);
  }
  template <class... S, class Layer>
  DALIB_HD void set_each(type_list<S...>, const Layer& layer, int p, double weight) {
    std::size_t i = 0;
    ((add<S>(layer, p, where_nonzero(weight, weight * layer.pairs[p].slopes[i]), layer.pairs[p].statistics[i]), ++i), ...);
  }
  template <class S, class Layer>
  DALIB_HD void add(const Layer& layer, int p, double slope, double value) {
    const int x = pair_row_x(p), y = pair_row_y(p);
    if constexpr (!S::from_gram) {
      added[p] += slope;
    } else if constexpr (is_linear<S>) {
      if (p == 0) linear += slope;
    } else if constexpr (S::translation_invariant) {
      // Such a gradient only depends on differences: x receives pull * y + self * x = pull * (y - x), up to what cancels over all pairs.
      difference[p] -= S::pull(slope, value, layer.local_terms[x], layer.local_terms[y]).pull;
    } else {
      const pair_pull<double> pull = S::pull(slope, value, layer.raw_terms[x], layer.raw_terms[y]);
      other[p] += pull.pull;
      own_x[p] += pull.self_x;
      own_y[p] += pull.self_y;
    }
  }
};

/// The share of one row in quadruple_pulls, in the arithmetic of Real.
template <class Profile, class Real>
struct quadruple_row_pull {
  using asks = quadruple_reads<statistics_of<Profile>>;
  Real difference[2], added[2], linear;
  double other[2], own;

  DALIB_HD quadruple_row_pull(const quadruple_pulls& all, int r) : linear(static_cast<Real>(all.linear)), own(0) {
    for (int side = 0; side < 2; ++side) {
      const int p = pair_of_row(r, side);
      difference[side] = static_cast<Real>(all.difference[p]);
      added[side] = static_cast<Real>(all.added[p]);
      other[side] = all.other[p];
      own += pair_row_x(p) == r ? all.own_x[p] : all.own_y[p];
    }
  }

  /// Feature f of the gradient of row x, whose partners are y0 and y1.
  template <class Row>
  DALIB_HD Real operator()(const Row& x, const Row& y0, const Row& y1, index_t f) const {
    Real sum = Real(0);
    if constexpr (asks::distance || asks::local)
      sum = difference[0] * (static_cast<Real>(x[f]) - static_cast<Real>(y0[f])) +
            difference[1] * (static_cast<Real>(x[f]) - static_cast<Real>(y1[f]));
    if constexpr (asks::added) sum += of_term(x[f], y0[f], added[0]) + of_term(x[f], y1[f], added[1]);
    if constexpr (asks::linear) sum += linear * (static_cast<Real>(y0[f]) - static_cast<Real>(y1[f]));
    if constexpr (asks::raw) sum += static_cast<Real>(of_rows(x[f], y0[f], y1[f]));
    return sum;
  }

private:
  template <class T>
  DALIB_HD static Real of_term(T x, T y, Real slope) {
    return slope * asks::additive::slope(static_cast<Real>(x), static_cast<Real>(y));
  }
  /// Opposite pulls meet in a difference, where a common shift of the rows costs nothing.
  DALIB_HD double of_rows(double x, double y0, double y1) const {
    const double others = other[0] == -other[1] ? other[0] * (y0 - y1) : other[0] * y0 + other[1] * y1;
    return others + own * x;
  }
};

} // namespace dalib::engine
