/// @file
/// One quadruple (s_i, s_j, t_i, t_j) of rows: kernels of its four pairs, and what they do to its rows.
#pragma once

#include "dalib/engine/combine.hpp"
#include "dalib/engine/pair.hpp"
#include "dalib/estimator/estimators.hpp"

#include <cstddef>
#include <utility>

namespace dalib::engine {

/// The rows of pair p of a quadruple, whose rows s_i, s_j, t_i, t_j are 0..3: (0, 1), (2, 3), (0, 3), (1, 2).
DALIB_HD constexpr int pair_row_x(int p) { return p == 1 ? 2 : (p == 3 ? 1 : 0); }
DALIB_HD constexpr int pair_row_y(int p) { return p == 0 ? 1 : (p == 3 ? 2 : 3); }

/// One layer's share of a quadruple: its four centred rows with their terms, and the kernel on its four pairs.
template <class T, class Profile>
struct quadruple_layer {
  const T* rows[4];
  row_terms<T> terms[4];
  evaluated_pair<T, statistics_of<Profile>::size> pairs[4];

  /// Fills `pairs`. O(F).
  DALIB_HD void evaluate(const Profile& profile, index_t features) {
    for (int p = 0; p < 4; ++p) {
      const int x = pair_row_x(p), y = pair_row_y(p);
      pairs[p] = evaluate_pair(profile, sums_of<Profile>(rows[x], rows[y], features), terms[x], terms[y]);
    }
  }
};

/// Sum over the pairs of their weight times the product of all layers' kernels.
template <class T, std::size_t Layers>
DALIB_HD double quadruple_value(const quadruple_plan& plan, const T (&values)[Layers][4]) {
  double total = 0;
  for (int p = 0; p < 4; ++p) {
    double product = plan.weight(p);
    for (std::size_t l = 0; l < Layers; ++l) product *= static_cast<double>(values[l][p]);
    total += product;
  }
  return total;
}

/// What pair p's kernel of layer `which` is multiplied by: its weight, `scale`, and the other layers' kernels.
template <class T, std::size_t Layers>
DALIB_HD T quadruple_weight(const quadruple_plan& plan, T scale, const T (&values)[Layers][4], std::size_t which, int p) {
  T weight = static_cast<T>(plan.weight(p)) * scale;
  for (std::size_t m = 0; m < Layers; ++m)
    if (m != which) weight *= values[m][p];
  return weight;
}

/// Row r's gradient in one layer: sum_q mix[r][q] * row q + shift[r] * mean + sum_q signs[r][q] * sign(row r - row q).
template <class T>
struct quadruple_mix {
  T mix[4][4] = {};
  T shift[4] = {};
  T signs[4][4] = {};

  /// Adds pair p, whose kernel counts `weight`.
  template <class Profile>
  DALIB_HD void add(const quadruple_layer<T, Profile>& layer, int p, T weight) {
    const int x = pair_row_x(p), y = pair_row_y(p);
    const detail::pulls<T> sum = detail::pulls_of_slopes(statistics_of<Profile>{}, weight, layer.pairs[p].slopes, layer.pairs[p].statistics,
                                                         layer.terms[x], layer.terms[y]);
    mix[x][y] += sum.gram;
    mix[y][x] += sum.gram;
    mix[x][x] += sum.self_x;
    mix[y][y] += sum.self_y;
    shift[x] += sum.shift_x;
    shift[y] += sum.shift_y;
    signs[x][y] += sum.l1;
    signs[y][x] += sum.l1;
  }

  /// Feature f of what row r receives from the rows themselves.
  DALIB_HD T pulled(int r, const T* const (&rows)[4], index_t f) const {
    T sum = T(0);
    for (int q = 0; q < 4; ++q) sum += mix[r][q] * rows[q][f];
    return sum;
  }
  /// Feature f of what row r receives from the l1 distance.
  DALIB_HD T signed_sum(int r, const T* const (&rows)[4], index_t f) const {
    T sum = T(0);
    for (int q = 0; q < 4; ++q) sum += signed_slope(rows[r][f], rows[q][f], signs[r][q]);
    return sum;
  }
};

} // namespace dalib::engine
