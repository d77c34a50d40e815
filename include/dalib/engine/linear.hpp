/// @file
/// The MMD of a linear kernel from the means of both domains: O(n F) instead of O(n^2 F), for every estimator over all pairs.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/pair/layer.hpp"
#include "dalib/estimator/parts.hpp"

namespace dalib::engine {

/// A domain as a linear kernel sees it: its mean is that of its first row and of what the others differ by from it, so that no shift of
/// the rows costs it a digit.
template <class T, class Memory>
struct linear_domain {
  sample<T, Memory> data;
  matrix_view<T, Memory> gradient; ///< no data: not wanted
  const double* offset_sums;
  double weight;   ///< total
  double variance; ///< mean of |z - mean|^2, by weight

  DALIB_HD double first(index_t f) const { return static_cast<double>(data.rows(0, f)); }
  DALIB_HD double offset(index_t f) const { return offset_sums[f] / weight; }
  DALIB_HD double mean(index_t f) const { return first(f) + offset(f); }
};

/// sum over all ordered pairs of c(x, y) x . y, c = factor of the domains * w_x * w_y. With means m_s, m_t, variances v and total weights W
///
///     a W_s^2 |m_s|^2 + b W_t^2 |m_t|^2 + 2 c W_s W_t m_s . m_t - [distinct] (a W_s (v_s + |m_s|^2) + b W_t (v_t + |m_t|^2))
///
/// which is -c W_s W_t |m_s - m_t|^2 - [distinct] (a W_s v_s + b W_t v_t) if the coefficients of every row cancel.
template <class T, class Memory>
struct linear_problem {
  linear_domain<T, Memory> source, target;
  pair_coefficients pairs;
  bool cancel;

  DALIB_HD double own() const { return pairs.distinct ? 1 : 0; }

  /// m_s - m_t of feature f.
  DALIB_HD double between(index_t f) const {
    return as_written(source.first(f) - target.first(f)) + as_written(source.offset(f) - target.offset(f));
  }

  /// What feature f adds to the sum.
  DALIB_HD double operator()(index_t f) const {
    const double both = pairs.across * source.weight * target.weight;
    if (cancel) {
      const double d = between(f);
      return -both * d * d;
    }
    const double s = source.mean(f), t = target.mean(f);
    return pairs.within_source * source.weight * (source.weight - own()) * s * s +
           pairs.within_target * target.weight * (target.weight - own()) * t * t + 2 * both * s * t;
  }

  /// What no feature adds.
  double variances() const {
    return -own() * (pairs.within_source * source.weight * source.variance + pairs.within_target * target.weight * target.variance);
  }

  /// Half of what a row of weight 1 at its domain's mean receives in feature f.
  DALIB_HD double pull(bool of_source, index_t f) const {
    const double others = of_source ? target.weight : source.weight;
    if (cancel) return (of_source ? -others : others) * pairs.across * between(f);
    const linear_domain<T, Memory>&mine = of_source ? source : target, &theirs = of_source ? target : source;
    return within(of_source) * (mine.weight - own()) * mine.mean(f) + pairs.across * others * theirs.mean(f);
  }
  DALIB_HD double within(bool of_source) const { return of_source ? pairs.within_source : pairs.within_target; }
};

namespace detail {

/// Pull and mean of feature f of a domain, which all its rows have in common.
template <class T, class Memory>
struct linear_pull_task {
  linear_problem<T, Memory> problem;
  bool of_source;
  double* pull;
  double* offset;

  DALIB_HD void operator()(index_t f) const {
    pull[f] = problem.pull(of_source, f);
    offset[f] = (of_source ? problem.source : problem.target).offset(f);
  }
};

/// Entries of a domain's gradient: scale w (pull - own (x - mean)).
template <class T, class Memory>
struct linear_gradient_task {
  sample<T, Memory> from;
  matrix_view<T, Memory> to;
  const double* pull;
  const double* offset;
  double scale;
  double own; ///< coefficient of the row itself
  bool accumulate;

  DALIB_HD void operator()(index_t row, index_t col, index_t count) const {
    const double by = from.weights ? scale * static_cast<double>(from.weights[row]) : scale;
    for (index_t f = col; f < col + count; ++f) {
      double sum = pull[f];
      if (own != 0) sum -= own * (as_written(static_cast<double>(from.rows(row, f)) - static_cast<double>(from.rows(0, f))) - offset[f]);
      const T share = static_cast<T>(by * sum);
      to(row, f) = accumulate ? to(row, f) + share : share;
    }
  }
};

template <class Exec, class T, class Memory>
void linear_gradient(const Exec& exec, const linear_problem<T, Memory>& problem, bool of_source, double scale, write_mode mode,
                     workspace_of<Memory>& scratch) {
  const linear_domain<T, Memory>& domain = of_source ? problem.source : problem.target;
  const matrix_view<T, Memory>& to = domain.gradient;
  if (to.data == nullptr) return;
  double* pull = scratch.template allocate<double>(to.cols);
  double* offset = scratch.template allocate<double>(to.cols);
  backend<Memory>::for_each_row(exec, to.cols, linear_pull_task<T, Memory>{problem, of_source, pull, offset});
  const double own = problem.own() * problem.within(of_source);
  backend<Memory>::for_each_entry(
      exec, to.rows, to.cols,
      linear_gradient_task<T, Memory>{domain.data, to, pull, offset, 2 * scale, own, mode == write_mode::accumulate});
}

} // namespace detail

/// A sum over pairs of a multiple of their inner product.
struct linear_form {
  pair_coefficients pairs;
  double multiple;
  bool cancel; ///< whether the coefficients of every row with all others add up to 0
};

/// Value and gradients of sum c(x, y) (multiple x . y) over all ordered pairs of a layer's rows. All sums are in double.
/// O((n_s + n_t) F).
template <bool Gradient, class Exec, class T, class Profile, class Memory>
double linear_sum(const Exec& exec, const layer<T, Profile, Memory>& one, const linear_form& form, T scale, write_mode mode,
                  workspace_of<Memory>& scratch) {
  const workspace_mark mark(scratch);
  const auto domain = [&](const sample<T, Memory>& data, const matrix_view<T, Memory>& gradient) {
    const sample_summary<T, Memory> summary(exec, {data, {data.rows.rows_from(0, 0), nullptr}}, scratch);
    return linear_domain<T, Memory>{data, gradient, summary.offset_sums(), backend<Memory>::total_weight(data),
                                    summary.mean_squared_distance() / 2};
  };
  const linear_problem<T, Memory> problem{domain(one.data.source, one.source_gradient), domain(one.data.target, one.target_gradient),
                                          form.pairs, form.cancel};
  const double sum = backend<Memory>::sum_over_rows(exec, one.data.features(), problem, scratch) + problem.variances();
  if constexpr (Gradient) {
    const double by = form.multiple * static_cast<double>(scale);
    detail::linear_gradient(exec, problem, true, by, mode, scratch);
    detail::linear_gradient(exec, problem, false, by, mode, scratch);
    backend<Memory>::synchronise(exec); // the scratch memory goes
  }
  return form.multiple * sum;
}

} // namespace dalib::engine
