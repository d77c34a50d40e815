/// @file
/// The costs between two weighted clouds of points, and what entropic transport reads of them: soft minima and pulls on the points.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/engine/row_states.hpp"
#include "dalib/measure/sinkhorn_tiles.hpp"
#include "dalib/simd/pack_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace dalib::detail {

/// What the costs are read for.
struct sinkhorn_scale {
  int power;
  double epsilon;
  double tolerance; ///< of the potentials, in units of epsilon
  bool in_float;    ///< float is fine enough for whoever gave the points
};

/// Whether costs of clouds are kept: where they take no more memory than a few times the points.
inline bool keeps_costs(const point_cloud& x, const point_cloud& y) {
  return x.size() * y.size() <= std::max<index_t>(index_t{1} << 20, 2 * (x.size() + y.size()) * x.points.cols);
}

/// The costs between two clouds: soft minima and pulls. In tiles of float where its rounding is below the tolerance, of double else;
/// where potentials are so far from the fixed point that the plan leaves the range of numbers, by log-sum-exp in double.
template <class Exec>
class pair_costs {
public:
  /// @param pair  of a cloud with itself, costs between it and another, from which it has its blocks where they are of the same type
  pair_costs(const Exec& exec, const point_cloud& x, const point_cloud& y, const sinkhorn_scale& scale, workspace& scratch,
             const pair_costs* pair = nullptr)
      : exec_(exec), scratch_(scratch), x_(x), y_(y), power_(scale.power), tolerance_(scale.tolerance) {
    const double square = std::max(x.largest_square, y.largest_square);
    int exponent = 0;
    std::frexp(power_ == 2 ? std::sqrt(scale.epsilon) : scale.epsilon, &exponent);
    const tile_rule rule{power_, std::ldexp(1.0, exponent), keeps_costs(x, y), scale.tolerance};
    const double largest = (power_ == 2 ? square : std::sqrt(square)) / scale.epsilon; // an exponent's terms
    if (pair != nullptr && pair->floats_) // whose bound is its own too: no point of it is further out
      floats_.emplace(x, *pair->floats_, rule.keep, scratch);
    else if (scale.in_float && 8 * 0x1p-24 * largest <= scale.tolerance)
      floats_.emplace(exec, x, y, rule, scratch);
    else if (largest < 1e30 && pair != nullptr && pair->doubles_)
      doubles_.emplace(x, *pair->doubles_, rule.keep, scratch);
    else if (largest < 1e30)
      doubles_.emplace(exec, x, y, rule, scratch);
  }

  /// to_f_i = -epsilon log sum_j b_j e^((g_j - C_ij) / epsilon), to_g_j the same of f; a side without memory is not wanted.
  void softmins(double epsilon, const double* f, const double* g, double* to_f, double* to_g) {
    const bool done = floats_    ? floats_->log_marginals(epsilon, f, g, to_f, to_g)
                      : doubles_ ? doubles_->log_marginals(epsilon, f, g, to_f, to_g)
                                 : false;
    if (!done) {
      if (to_f != nullptr) far_softmin(false, epsilon, g, to_f);
      if (to_g != nullptr) far_softmin(true, epsilon, f, to_g);
      return;
    }
    for (index_t i = 0; to_f != nullptr && i < x_.size(); ++i) to_f[i] = f[i] - epsilon * to_f[i];
    for (index_t j = 0; to_g != nullptr && j < y_.size(); ++j) to_g[j] = g[j] - epsilon * to_g[j];
  }

  /// Writes factor sum_j a_i b_j P_ij dC(x_i, y_j)/dx_i to every row of `to_x`, or adds it, and the same for y; a side without data is not
  /// wanted, nor is the second one of a cloud with itself.
  void pulls(double epsilon, const double* f, const double* g, double factor, const real_matrix& to_x, const real_matrix& to_y,
             write_mode mode) {
    if (!floats_ && !doubles_) doubles_.emplace(exec_, x_, y_, tile_rule{power_, 1, false, tolerance_}, scratch_);
    if (floats_)
      floats_->pulls(epsilon, f, g, factor, to_x, to_y, mode);
    else
      doubles_->pulls(epsilon, f, g, factor, to_x, to_y, mode);
  }

private:
  void far_softmin(bool transposed, double epsilon, const double* potential, double* to) const {
    const workspace_mark mark(scratch_);
    const point_cloud &rows = transposed ? y_ : x_, &others = transposed ? x_ : y_;
    const index_t n = rows.size(), m = others.size();
    double* const offset = scratch_.template allocate<double>(m);
    for (index_t j = 0; j < m; ++j) offset[j] = potential[j] / epsilon + others.log_weights[j];
    const engine::layer_input<double, negative_cost> input{
        {sample<double>{rows.points}, sample<double>{others.points}}, negative_cost{power_, 1 / epsilon}, {}, {}};
    const engine::bound_problem<double, host_memory, negative_cost> problem(exec_, scratch_, input);
    engine::row_states(exec_, engine::log_sum_exp{}, std::get<0>(problem.layers()), engine::pair_set::across,
                       matrix_view<const double>(offset, m, 1), matrix_view<double>(to, n, 1), scratch_);
    for (index_t i = 0; i < n; ++i) to[i] *= -epsilon;
  }

  const Exec& exec_;
  workspace& scratch_;
  const point_cloud &x_, &y_;
  int power_;
  double tolerance_;
  std::optional<cost_tiles<Exec, float>> floats_;
  std::optional<cost_tiles<Exec, double>> doubles_;
};

} // namespace dalib::detail
