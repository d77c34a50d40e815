/// @file
/// The weight of every pair in the sum that a measure is.
#pragma once

#include "dalib/engine/sample/joint_sample.hpp"
#include "dalib/estimator/parts.hpp"

#include <algorithm>
#include <concepts>
#include <utility>

namespace dalib {

namespace engine {

/// Coefficients of a two-sample estimator: one column at a time, as the tiles of the CPU want them, or one pair.
template <class T, class Memory = host_memory>
struct domain_coefficients {
  joint_sample<T, Memory> data;
  pair_coefficients pairs;

  /// The coefficients of one row with all others, with what does not depend on the other found once.
  struct of_row {
    T to_source, to_target, own_pair;
    const T* source_weights;
    const T* target_weights;
    index_t row, border; ///< `row` is none where a row's pair with itself is one like others

    DALIB_HD T operator()(index_t other) const {
      if (other == row) return own_pair;
      return other < border ? times_weight(to_source, source_weights, other) : times_weight(to_target, target_weights, other - border);
    }
  };
  DALIB_HD of_row of(index_t row) const {
    const T own = pairs.distinct ? of_own_pair(row) : T(0);
    return {static_cast<T>(factor(row, true)),
            static_cast<T>(factor(row, false)),
            own,
            data.source.weights,
            data.target.weights,
            pairs.distinct ? row : index_t{-1},
            data.source_rows()};
  }

  /// c(other, row).
  DALIB_HD T operator()(index_t other, index_t row) const { return of(row)(other); }

  /// out[l] = c(first + l, row) for l < count.
  void fill(index_t first, index_t count, index_t row, T* out) const {
    const of_row one = of(row);
    const index_t border = std::clamp<index_t>(one.border - first, 0, count);
    for (index_t l = 0; l < border; ++l) out[l] = times_weight(one.to_source, one.source_weights, first + l);
    for (index_t l = border; l < count; ++l) out[l] = times_weight(one.to_target, one.target_weights, first + l - one.border);
    if (one.row >= first && one.row < first + count) out[one.row - first] = one.own_pair;
  }

private:
  /// Weight of `row` times the factor of its domain and of the other row's.
  DALIB_HD double factor(index_t row, bool other_is_source) const {
    const bool own_source = data.is_source(row);
    const double within = own_source ? pairs.within_source : pairs.within_target;
    return data.weight(row) * (own_source == other_is_source ? within : pairs.across);
  }
  /// w^2 - w pairs of a row of weight w with itself.
  DALIB_HD T of_own_pair(index_t row) const { return static_cast<T>(factor(row, data.is_source(row)) * (data.weight(row) - 1)); }
  DALIB_HD static T times_weight(T value, const T* weights, index_t place) { return weights ? value * weights[place] : value; }
};

/// Coefficients given as a square matrix R: the pair (x, y) counts (R(x, y) + R(y, x)) / 2, which leaves the sum unchanged.
template <class T, class Memory = host_memory>
struct matrix_coefficients {
  matrix_view<const T, Memory> matrix;

  DALIB_HD T operator()(index_t other, index_t row) const { return (matrix(other, row) + matrix(row, other)) / T(2); }

  void fill(index_t first, index_t count, index_t row, T* out) const {
    for (index_t l = 0; l < count; ++l) out[l] = (*this)(first + l, row);
  }
};

/// Every pair counts once: the entries of a kernel matrix.
struct unit_coefficients {
  bool distinct = false; ///< but for a row with itself

  template <class T>
  void fill(index_t first, index_t count, index_t row, T* out) const {
    std::fill_n(out, count, T(1));
    if (distinct && row >= first && row < first + count) out[row - first] = T(0);
  }
  /// c(other, row), as a number of the caller's type.
  struct one_or_none {
    bool one;
    template <class T>
    DALIB_HD operator T() const {
      return one ? T(1) : T(0);
    }
  };
  DALIB_HD one_or_none operator()(index_t other, index_t row) const { return {!(distinct && other == row)}; }
};

/// c(., row) as a function of the other row.
template <class Coefficients>
DALIB_HD auto coefficients_of(const Coefficients& all, index_t row) {
  if constexpr (requires { all.of(row); })
    return all.of(row);
  else
    return [all, row](index_t other) { return all(other, row); };
}

/// Whether coefficients are those of pairs of a source's and a target's row alone (their `across_only`): no other pair is looked at.
template <class Coefficients>
inline constexpr bool only_across = false;
template <class Coefficients>
requires requires { Coefficients::across_only; }
inline constexpr bool only_across<Coefficients> = Coefficients::across_only;

/// Rows [first, first + count) of the joint sample.
struct joint_rows {
  index_t first;
  index_t count;
};

/// Whether a policy says where in a block of pairs some count, by a member `counted(rows, others)`: the runs of both outside of which no
/// pair does, empty where none does at all; the same of (others, rows) in turn. They may be longer than need be. What is outside of them
/// is not looked at where rows meet block by block.
template <class Coefficients>
concept knows_empty_blocks = requires(const Coefficients& all, joint_rows rows) {
  { all.counted(rows, rows) } -> std::same_as<std::pair<joint_rows, joint_rows>>;
};

/// Coefficients given as R(source row, target row). Both orders of a pair stand in the sum: each counts half.
template <class T, class Memory = host_memory>
struct across_coefficients {
  static constexpr bool across_only = true;
  matrix_view<const T, Memory> matrix;

  DALIB_HD T operator()(index_t other, index_t row) const {
    return (other < row ? matrix(other, row - matrix.rows) : matrix(row, other - matrix.rows)) / T(2);
  }

  void fill(index_t first, index_t count, index_t row, T* out) const {
    const bool of_source = row < matrix.rows;
    const T* from = of_source ? &matrix(row, first - matrix.rows) : &matrix(first, row - matrix.rows);
    const index_t step = of_source ? matrix.col_stride : matrix.row_stride;
    for (index_t l = 0; l < count; ++l) out[l] = from[l * step] / T(2);
  }
};

} // namespace engine
} // namespace dalib
