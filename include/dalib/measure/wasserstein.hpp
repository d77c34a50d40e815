/// @file
/// Wasserstein distances in one dimension: exact, by sorting.
#pragma once

#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/sort_order.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dalib {

namespace detail {

/// Numbers of one domain with their weights, and the order that sorts them; memory of the caller.
struct sorted_numbers {
  const double* values;
  const double* weights; ///< none: all the same
  index_t count;
  double total; ///< of the weights
  index_t* order;

  double value(index_t place) const { return values[order[place]]; }
  double weight(index_t place) const { return (weights ? weights[order[place]] : 1) / total; }
};

/// quantile_distance of equally many numbers without weights: the k-th meets the k-th.
inline double paired_distance(const sorted_numbers& s, const sorted_numbers& t, double p, double scale, double* to_s, double* to_t) {
  const double mass = 1 / static_cast<double>(s.count), slope_scale = scale * mass * p;
  double value = 0;
  for (index_t i = 0; i < s.count; ++i) {
    const double apart = s.value(i) - t.value(i), distance = std::abs(apart);
    const double power = p == 1 ? 1 : (p == 2 ? distance : std::pow(distance, p - 1));
    value += power * distance;
    if (to_s == nullptr) continue;
    const double slope = apart == 0 ? 0 : std::copysign(slope_scale * power, apart);
    to_s[s.order[i]] = slope;
    to_t[t.order[i]] = -slope;
  }
  return mass * value;
}

/// Integral over (0, 1) of |Q_s - Q_t|^p for the quantile functions of both; adds scale times its gradient to `to_s` and `to_t`, if there.
/// Without weights the steps of both functions are compared as integers, so that none is missed or made by rounding.
inline double quantile_distance(const sorted_numbers& s, const sorted_numbers& t, double p, double scale, double* to_s, double* to_t) {
  if (s.weights == nullptr && t.weights == nullptr && s.count == t.count) return paired_distance(s, t, p, scale, to_s, to_t);
  double value = 0, left_s = s.weight(0), left_t = t.weight(0);
  index_t i = 0, j = 0;
  const bool counted = s.weights == nullptr && t.weights == nullptr;
  index_t units_s = t.count, units_t = s.count; // of 1 / (n m)
  const double unit = 1 / (static_cast<double>(s.count) * static_cast<double>(t.count));
  while (i < s.count && j < t.count) {
    const index_t units = std::min(units_s, units_t);
    const double mass = counted ? static_cast<double>(units) * unit : std::min(left_s, left_t);
    const double apart = s.value(i) - t.value(j), distance = std::abs(apart);
    const double power = p == 1 ? 1 : (p == 2 ? distance : std::pow(distance, p - 1)); // distance^(p - 1)
    value += mass * power * distance;
    if (to_s != nullptr) {
      const double slope = apart == 0 ? 0 : std::copysign(scale * mass * p * power, apart);
      to_s[s.order[i]] += slope;
      to_t[t.order[j]] -= slope;
    }
    bool next_s, next_t;
    if (counted) {
      units_s -= units;
      units_t -= units;
      next_s = units_s == 0;
      next_t = units_t == 0;
    } else {
      next_s = left_s <= left_t;
      next_t = left_t <= left_s;
      left_s -= mass;
      left_t -= mass;
    }
    if (next_s && ++i < s.count) {
      units_s = t.count;
      left_s += s.weight(i);
    }
    if (next_t && ++j < t.count) {
      units_t = s.count;
      left_t += t.weight(j);
    }
  }
  return value;
}

/// Throws unless p is a finite number of at least 1.
inline void require_power(const char* measure, double p) {
  if (!(p >= 1) || !is_finite(p)) fail(measure, "p must be a finite number of at least 1 (got " + std::to_string(p) + ")");
}

} // namespace detail

/// Wasserstein distance of two samples of numbers to the power p (Villani 2003, theorem 2.18): the integral of the distance of the quantile
/// functions,
///
///     W_p^p = int_0^1 |Q_s(u) - Q_t(u)|^p du
///
/// Samples are (n_s, 1) and (n_t, 1), of any sizes, with weights by `weighted(z, w)`, which are divided by their sums. The gradient is that
/// of the optimal coupling; for p = 1 the sign of 0 is 0. O(n log n) in double; host only.
/// @throws std::invalid_argument for empty samples, more than one column, gradients of the wrong shape, p < 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::Vector2d(0, 1), z_t = Eigen::Vector3d(5, 5, 5);
/// assert(std::abs(wasserstein{1}(z_s, z_t) - 4.5) < 1e-15 && std::abs(wasserstein{2}(z_s, z_t) - 20.5) < 1e-14);
/// const std::vector<double> w = {3, 1};
/// assert(std::abs(wasserstein{1}(weighted(z_s, w), z_t) - 4.75) < 1e-15);
/// @endcode
struct wasserstein : call_forms<wasserstein> {
  static constexpr const char* name = "wasserstein";
  static constexpr std::size_t arity = 2;

  double p;

  explicit wasserstein(double power = 2) : p(power) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: wasserstein works on tensors of the host");
    require_execution<typename Call::execution_type, host_memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, host_memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call, sample_of(zs), sample_of(zt), out);
  }

private:
  template <bool Gradient, class Call, class T>
  T run(const Call& call, const sample<T>& source, const sample<T>& target, const gradients<T>& out) const {
    require_two_samples(name, source.rows, target.rows);
    require_shapes(source.rows.cols == 1, name, "samples of numbers have one column", source.rows, target.rows);
    require_gradients(name, source, target, out);
    detail::require_power(name, p);
    const workspace_scope scope(call.scratch);
    const auto s = numbers_of(call, source), t = numbers_of(call, target);
    double *g_s = nullptr, *g_t = nullptr;
    if constexpr (Gradient) {
      g_s = call.scratch.template allocate_zero<double>(s.count);
      g_t = call.scratch.template allocate_zero<double>(t.count);
    }
    const double value = detail::quantile_distance(s, t, p, 1, g_s, g_t);
    if constexpr (Gradient) {
      detail::write_gradient(call.execution, matrix_view<double>(g_s, s.count, 1), out.source, out.scale, out.mode);
      detail::write_gradient(call.execution, matrix_view<double>(g_t, t.count, 1), out.target, out.scale, out.mode);
    }
    return static_cast<T>(value);
  }

  template <class Call, class T>
  static detail::sorted_numbers numbers_of(const Call& call, const sample<T>& one) {
    const matrix_view<double> values = detail::copy_as<double>(call.execution, one.rows, call.scratch);
    double* weights = nullptr;
    double total = static_cast<double>(values.rows);
    if (one.weights != nullptr) {
      weights = call.scratch.template allocate<double>(values.rows);
      std::copy_n(one.weights, values.rows, weights);
      total = std::accumulate(weights, weights + values.rows, 0.0);
    }
    index_t* const order = call.scratch.template allocate<index_t>(values.rows);
    const workspace_mark mark(call.scratch);
    detail::sort_order(values.data, values.rows, order, call.scratch.template allocate<detail::sort_entry<double>>(2 * values.rows));
    return {values.data, weights, values.rows, total, order};
  }
};

} // namespace dalib
