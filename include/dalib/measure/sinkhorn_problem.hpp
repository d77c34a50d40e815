/// @file
/// Entropic optimal transport between two weighted clouds of points in the log domain: potentials, their fixed point, and what follows.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dalib {

/// Settings of entropic transport.
///
/// @code{.cpp}
/// const sinkhorn_settings s{.blur = 0.1};
/// assert(s.power == 2 && s.epsilon() == 0.1 * 0.1 && !s.unbalanced());
/// @endcode
struct sinkhorn_settings {
  int power = 2;           ///< p: cost |x - y|^2 / 2 (2) or |x - y| (1)
  double blur = 0.05;      ///< epsilon = blur^p; in the unit of the rows
  double reach = 0;        ///< marginals cost r KL with r = reach^p; 0: they are exact
  bool debias = true;      ///< the divergence; false: the entropic cost
  double scaling = 0.5;    ///< of the blur from the diameter down, one sweep each; see sinkhorn_divergence
  double tolerance = 1e-9; ///< the potentials' last change, in units of epsilon
  int iterations = 10000;  ///< sweeps at most

  double epsilon() const { return power == 2 ? blur * blur : blur; }
  double marginal_cost() const { return power == 2 ? reach * reach : reach; }
  bool unbalanced() const { return reach > 0; }
};

namespace detail {

using row_major_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Points measured from a common origin, with weights.
struct point_cloud {
  row_major_matrix points;
  Eigen::VectorXd squares, weights, log_weights;

  index_t size() const { return points.rows(); }
  double mass() const { return weights.sum(); }
};

/// The costs between two clouds, block by block: kept where they take no more memory than a few times the points, found anew otherwise.
class pair_costs {
public:
  static constexpr index_t rows = 64, cols = 256; ///< of a block

  template <class Exec>
  pair_costs(const Exec& exec, const point_cloud& x, const point_cloud& y, int power) : x_(&x), y_(&y), power_(power) {
    const index_t entries = x.size() * y.size();
    if (entries > std::max<index_t>(index_t{1} << 20, 2 * (x.size() + y.size()) * x.points.cols())) return;
    kept_.resize(x.size(), y.size());
    exec.run((x.size() + rows - 1) / rows, [&](index_t task, int) {
      const eigen_on_one_thread alone;
      const index_t first = task * rows, count = std::min(rows, x.size() - first);
      for (index_t j = 0; j < y.size(); j += cols) {
        row_major_matrix block;
        find(first, count, j, std::min(cols, y.size() - j), block);
        kept_.block(first, j, block.rows(), block.cols()) = block;
      }
    });
  }

  index_t sources() const { return x_->size(); }
  index_t targets() const { return y_->size(); }

  /// Costs of `count` source rows from `first` on with `width` target rows from `start` on; transposed: of target rows with source rows.
  void block(bool transposed, index_t first, index_t count, index_t start, index_t width, row_major_matrix& to) const {
    if (!transposed) {
      if (kept_.size() > 0)
        to = kept_.block(first, start, count, width);
      else
        find(first, count, start, width, to);
      return;
    }
    if (kept_.size() > 0) {
      to = kept_.block(start, first, width, count).transpose();
    } else {
      row_major_matrix other;
      find(start, width, first, count, other);
      to = other.transpose();
    }
  }

private:
  void find(index_t first, index_t count, index_t start, index_t width, row_major_matrix& to) const {
    to.noalias() = x_->points.middleRows(first, count) * y_->points.middleRows(start, width).transpose();
    const auto square_y = y_->squares.segment(start, width).transpose().array();
    for (index_t i = 0; i < count; ++i) {
      const double square_x = x_->squares(first + i);
      to.row(i).array() = (square_x + square_y - 2 * to.row(i).array()).max(0);
      // The difference of large numbers leaves a small one few digits, and a root half of them.
      for (index_t j = 0; j < width; ++j)
        if (to(i, j) < 0.02 * (square_x + square_y(j))) to(i, j) = (x_->points.row(first + i) - y_->points.row(start + j)).squaredNorm();
    }
    if (power_ == 2)
      to *= 0.5;
    else
      to = to.cwiseSqrt();
  }

  const point_cloud *x_, *y_;
  int power_;
  row_major_matrix kept_;
};

/// -epsilon log sum_j w_j e^((potential_j - C_ij) / epsilon) for every row i of one side; `transposed`: rows are the target's.
template <class Exec>
Eigen::VectorXd softmin(const Exec& exec, const pair_costs& costs, bool transposed, double epsilon, const Eigen::VectorXd& potential,
                        const Eigen::VectorXd& log_weights) {
  const index_t n = transposed ? costs.targets() : costs.sources(), m = potential.size();
  const Eigen::ArrayXd offset = potential.array() / epsilon + log_weights.array();
  Eigen::VectorXd result(n);
  exec.run((n + pair_costs::rows - 1) / pair_costs::rows, [&](index_t task, int) {
    const eigen_on_one_thread alone;
    const index_t first = task * pair_costs::rows, count = std::min(pair_costs::rows, n - first);
    row_major_matrix block;
    Eigen::ArrayXd largest = Eigen::ArrayXd::Constant(count, -std::numeric_limits<double>::infinity()), sum = Eigen::ArrayXd::Zero(count);
    for (index_t j = 0; j < m; j += pair_costs::cols) {
      const index_t width = std::min(pair_costs::cols, m - j);
      costs.block(transposed, first, count, j, width, block);
      for (index_t i = 0; i < count; ++i) {
        auto s = block.row(i).array();
        s = offset.segment(j, width).transpose() - s / epsilon;
        const double top = std::max(largest(i), s.maxCoeff());
        if (top == -std::numeric_limits<double>::infinity()) continue; // weights of 0 so far
        sum(i) = sum(i) * std::exp(largest(i) - top) + (s - top).exp().sum();
        largest(i) = top;
      }
    }
    result.segment(first, count) = -epsilon * (largest + sum.log()).matrix();
  });
  return result;
}

/// Optimal potentials of both sides.
struct potentials {
  Eigen::VectorXd f, g;
  bool converged = false;
  int sweeps = 0; ///< at the last blur
};

/// Sweeps over the potentials of two clouds, or of one with itself.
template <class Exec>
class sinkhorn_sweeps {
public:
  sinkhorn_sweeps(const Exec& exec, const point_cloud& x, const point_cloud& y, const pair_costs& costs, const sinkhorn_settings& set)
      : exec_(exec), x_(x), y_(y), costs_(costs), set_(set), p_{Eigen::VectorXd::Zero(x.size()), Eigen::VectorXd::Zero(y.size())} {}

  /// The blur starts at the diameter and shrinks by `scaling`, one averaged sweep each. At its end averaged sweeps go on while they halve
  /// the error or so, as they do for a cloud with itself or with one like it, where alternating ones creep; then alternating ones, relaxed
  /// beyond 1 by what their rate says (Thibault et al. 2017: of two blocks, as of Young's theory), until the potentials stand still.
  potentials solve() {
    const double last = set_.epsilon(), least = set_.tolerance * last;
    const double diameter = 2 * std::sqrt(std::max(x_.squares.maxCoeff(), y_.squares.maxCoeff()));
    const double factor = set_.power == 2 ? set_.scaling * set_.scaling : set_.scaling;
    for (double epsilon = set_.power == 2 ? diameter * diameter : diameter; epsilon > last; epsilon *= factor) average(epsilon);
    double change = average(last);
    int sweeps = 1;
    for (double before = 2 * change; sweeps < set_.iterations && change > least && (self() || change < 0.6 * before); ++sweeps) {
      before = change;
      change = average(last);
    }
    p_.converged = change <= least;
    p_.sweeps = sweeps;
    if (!self() && !p_.converged) alternate_until_still(last, least, sweeps);
    return p_;
  }

private:
  bool self() const { return &x_ == &y_; }
  double damping(double epsilon) const { return set_.unbalanced() ? set_.marginal_cost() / (set_.marginal_cost() + epsilon) : 1.0; }
  Eigen::VectorXd best_f(double epsilon) const { return damping(epsilon) * softmin(exec_, costs_, false, epsilon, p_.g, y_.log_weights); }
  Eigen::VectorXd best_g(double epsilon) const { return damping(epsilon) * softmin(exec_, costs_, true, epsilon, p_.f, x_.log_weights); }

  /// Both potentials half of the way at once; the largest step of f.
  double average(double epsilon) {
    const Eigen::VectorXd f = best_f(epsilon) - p_.f;
    if (!self()) {
      const Eigen::VectorXd g = best_g(epsilon) - p_.g;
      p_.g += 0.5 * g;
    }
    p_.f += 0.5 * f;
    if (self()) p_.g = p_.f;
    return f.cwiseAbs().maxCoeff();
  }

  /// f, then g, each `relaxation` of the way.
  double alternate(double epsilon, double relaxation) {
    const Eigen::VectorXd f = best_f(epsilon) - p_.f;
    p_.f += relaxation * f;
    p_.g += relaxation * (best_g(epsilon) - p_.g);
    return f.cwiseAbs().maxCoeff();
  }

  void alternate_until_still(double epsilon, double least, int sweeps) {
    double relaxation = 1, change = std::numeric_limits<double>::infinity(), best = change;
    for (int since = 0; sweeps < set_.iterations && change > least; ++sweeps, ++since) {
      const double before = change;
      change = alternate(epsilon, relaxation);
      if (relaxation == 1 && since >= 10 && change < before) { // the rate is known by now
        relaxation = std::min(1.98, 2 / (1 + std::sqrt(1 - std::min(change / before, 0.9999))));
        since = 0;
        best = change;
      } else if (relaxation > 1 && change > 4 * best) {
        relaxation = 1;
        since = 0;
      }
      best = std::min(best, change);
    }
    p_.converged = change <= least;
    p_.sweeps = sweeps;
    alternate(epsilon, 1); // so that the plan has its mass
  }

  const Exec& exec_;
  const point_cloud &x_, &y_;
  const pair_costs& costs_;
  const sinkhorn_settings& set_;
  potentials p_;
};

/// Value of the dual problem at the optimum; P has the mass sum a e^(-f / r) there.
inline double transport_value(const point_cloud& x, const point_cloud& y, const potentials& p, const sinkhorn_settings& set) {
  if (!set.unbalanced()) return x.weights.dot(p.f) + y.weights.dot(p.g);
  const double r = set.marginal_cost();
  const Eigen::ArrayXd kept_x = (-p.f.array() / r).exp(), kept_y = (-p.g.array() / r).exp();
  const double moved = (x.weights.array() * kept_x).sum();
  return r * (x.weights.array() * (1 - kept_x)).sum() + r * (y.weights.array() * (1 - kept_y)).sum() -
         set.epsilon() * (moved - x.mass() * y.mass());
}

/// Derivative of the value with respect to the weights of the rows that f belongs to; up to a constant if balanced.
inline Eigen::VectorXd weight_gradient(const Eigen::VectorXd& f, double other_mass, const sinkhorn_settings& set) {
  if (!set.unbalanced()) return f;
  const double r = set.marginal_cost(), epsilon = set.epsilon();
  return (r + epsilon * other_mass - (r + epsilon) * (-f.array() / r).exp()).matrix();
}

/// Adds factor sum_j P_ij dC(x_i, y_j)/dx_i to every row of `to`; `transposed`: for y.
template <class Exec>
void add_point_gradient(const Exec& exec, const point_cloud& own, const point_cloud& other, const pair_costs& costs, bool transposed,
                        const Eigen::VectorXd& f, const Eigen::VectorXd& g, const sinkhorn_settings& set, double factor,
                        row_major_matrix& to) {
  const double epsilon = set.epsilon();
  exec.run((own.size() + pair_costs::rows - 1) / pair_costs::rows, [&](index_t task, int) {
    const eigen_on_one_thread alone;
    const index_t first = task * pair_costs::rows, count = std::min(pair_costs::rows, own.size() - first);
    row_major_matrix block;
    for (index_t j = 0; j < other.size(); j += pair_costs::cols) {
      const index_t width = std::min(pair_costs::cols, other.size() - j);
      costs.block(transposed, first, count, j, width, block);
      for (index_t i = 0; i < count; ++i) {
        auto c = block.row(i).array();
        const Eigen::ArrayXd cost = c.transpose();
        const Eigen::ArrayXd share = own.weights(first + i) * other.weights.segment(j, width).array() *
                                     ((f(first + i) + g.segment(j, width).array() - cost) / epsilon).exp();
        c = (set.power == 2 ? share : (cost > 0).select(share / cost, 0.0).eval()).transpose();
      }
      to.middleRows(first, count) +=
          factor * (block.rowwise().sum().asDiagonal() * own.points.middleRows(first, count) - block * other.points.middleRows(j, width));
    }
  });
}

} // namespace detail

} // namespace dalib
