/// @file
/// Anderson's mixing, for the potentials of entropic transport.
#pragma once

#include "dalib/core/eigen_core.hpp"
#include "dalib/measure/sinkhorn_tiles.hpp"

#include <Eigen/Cholesky>

#include <algorithm>

namespace dalib::detail {

/// Anderson's mixing of a fixed-point iteration: of the last few points, the mixture whose steps cancel best is where the next one starts.
/// For the linear part that is GMRES, without knowing a rate.
class mixing_history {
public:
  mixing_history(index_t count, workspace& scratch) : count_(count), memory_(scratch.template allocate<double>(2 * (depth + 1) * count)) {}

  void clear() { used_ = 0; }
  /// Replaces z by the mixture of the last points, plus `share` of its step.
  void mix(const point_cloud& x, const point_cloud& y, double* z, const double* step, double share) {
    const int most = std::min(used_, depth);
    double *const last = points(used_ % slots), *const last_step = steps(used_ % slots);
    std::copy_n(z, count_, last);
    std::copy_n(step, count_, last_step);
    for (index_t i = 0; i < count_; ++i) z[i] += share * step[i];
    ++used_;
    if (most == 0) return;
    Eigen::Matrix<double, depth, depth> squares = Eigen::Matrix<double, depth, depth>::Zero(); // of fewer points, 1 on the diagonal
    Eigen::Matrix<double, depth, 1> right = Eigen::Matrix<double, depth, 1>::Zero();
    for (int a = 0; a < most; ++a) {
      const double* const of_a = steps((used_ - 2 - a) % slots);
      right(a) = sum(x, y, [&](index_t i) { return (step[i] - of_a[i]) * step[i]; });
      for (int b = 0; b <= a; ++b) {
        const double* const of_b = steps((used_ - 2 - b) % slots);
        squares(a, b) = squares(b, a) = sum(x, y, [&](index_t i) { return (step[i] - of_a[i]) * (step[i] - of_b[i]); });
      }
    }
    squares.diagonal().array() += 1e-12 * squares.trace();
    for (int a = most; a < depth; ++a) squares(a, a) = 1;
    const Eigen::Matrix<double, depth, 1> shares = squares.llt().solve(right);
    if (!shares.allFinite() || shares.cwiseAbs().maxCoeff() > 1e4) return clear();
    for (int a = 0; a < most; ++a) {
      const double *const point = points((used_ - 2 - a) % slots), *const its_step = steps((used_ - 2 - a) % slots);
      for (index_t i = 0; i < count_; ++i) z[i] -= shares(a) * ((last[i] - point[i]) + share * (last_step[i] - its_step[i]));
    }
  }

private:
  static constexpr int depth = 4, slots = depth + 1;

  double* points(int slot) const { return memory_ + 2 * slot * count_; }
  double* steps(int slot) const { return points(slot) + count_; }
  template <class F>
  double sum(const point_cloud& x, const point_cloud& y, const F& f) const {
    double total = 0;
    for (index_t i = 0; i < count_; ++i) total += (i < x.size() ? x.weights[i] : y.weights[i - x.size()]) * f(i);
    return total;
  }

  index_t count_;
  double* memory_;
  int used_ = 0;
};

} // namespace dalib::detail
