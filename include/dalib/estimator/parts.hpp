/// @file
/// What estimators are made of: weights for all pairs, or quadruples of rows.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/core/matrix_view.hpp"

#include <cmath>
#include <string>

namespace dalib {

/// Sizes of a two-sample problem; the weights' totals equal the sizes when there are none.
///
/// @code{.cpp}
/// const sample_sizes n{.source = 4, .target = 6, .source_weight = 4, .target_weight = 6, .has_weights = false};
/// const pair_coefficients c = estimator::unbiased{}.coefficients(n);
/// assert(c.within_source == 1.0 / 12 && c.across == -1.0 / 24 && c.distinct && c.rows_cancel(4, 6));
/// const quadruple_plan disjoint = estimator::linear_time{}.plan(n); // (0, 1) and (2, 3) of both domains
/// assert(disjoint.count == 2 && disjoint.place(1, 0) == 2 && disjoint.place(1, 3) == 3 && disjoint.weight(2) == -0.5);
/// const quadruple_places drawn = estimator::incomplete{100}.places(n, 99);
/// assert(drawn.source_first != drawn.source_second && drawn.target_second < 6);
/// @endcode
struct sample_sizes {
  index_t source;
  index_t target;
  double source_weight;
  double target_weight;
  bool has_weights;
  index_t features = 0;
  const char* measure = "estimator"; ///< whose estimate it is, for messages
};

/// Throws std::invalid_argument with the measure's name, the reason and both shapes.
[[noreturn]] inline void fail(const sample_sizes& n, const std::string& reason) {
  const auto shape = [&](index_t rows) { return std::to_string(rows) + " x " + std::to_string(n.features); };
  fail(n.measure, reason + " (got " + shape(n.source) + " and " + shape(n.target) + ")");
}

/// What a full-pair estimator says: sum over ordered pairs (x, y) of the joint sample of c(x, y) k(x, y), plus a constant.
/// For rows x, y with weights w: c = factor of their domains * w_x * w_y.
struct pair_coefficients {
  double within_source = 0;
  double within_target = 0;
  double across = 0;     ///< for each of (s, t) and (t, s)
  bool distinct = false; ///< leave out the pair of a row with itself; a row of weight w is w copies: w^2 - w pairs of it remain
  double constant = 0;   ///< added to the value

  /// Whether the coefficients of every row with all others add up to 0, up to rounding, for domains of these total weights.
  bool rows_cancel(double source_weight, double target_weight) const {
    const auto cancel = [](double within, double others) { return std::abs(within + others) <= 1e-12 * std::abs(within); };
    const double own = distinct ? 1 : 0;
    return cancel(within_source * (source_weight - own), across * target_weight) &&
           cancel(within_target * (target_weight - own), across * source_weight);
  }
};

/// The rows of one quadruple, by their places in their domains; both of a domain must differ.
struct quadruple_places {
  index_t source_first;
  index_t source_second;
  index_t target_first;
  index_t target_second;
};

/// @internal
/// Quadruples by their rows, in the memory of the machine that visits them.
struct quadruple_list {
  const index_t* places = nullptr;  ///< four for each quadruple; null: none
  const index_t* starts = nullptr;  ///< for each row of the joint sample its first entry; one more than there are rows
  const index_t* entries = nullptr; ///< 4 q + r where the row is row r of quadruple q, in order of q
};

/// Quadruples of rows (s_i, s_j, t_i, t_j), each adding within * (k(s_i, s_j) + k(t_i, t_j)) - across * (k(s_i, t_j) + k(s_j, t_i)).
struct quadruple_plan {
  index_t count = 0; ///< number of quadruples
  bool ring = false; ///< quadruple q is (q, q + 1 mod count); else the disjoint (2q, 2q + 1)
  double within = 0;
  double across = 0;
  double constant = 0; ///< added to the value

  /// @internal Rows of any quadruples: filled in by the engine, of what a listed_quadruple_estimator says.
  quadruple_list list{};

  /// Place, in its domain, of row r of quadruple q: s_i, s_j, t_i, t_j.
  DALIB_HD index_t place(index_t q, int r) const {
    if (list.places != nullptr) return list.places[4 * q + r];
    if (r % 2 == 0) return ring ? q : 2 * q;
    return ring ? (q + 1) % count : 2 * q + 1;
  }

  /// Weight of pair p of a quadruple: (s_i, s_j), (t_i, t_j), (s_i, t_j), (s_j, t_i).
  DALIB_HD double weight(int p) const { return p < 2 ? within : -across; }
};

} // namespace dalib
