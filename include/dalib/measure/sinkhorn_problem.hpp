/// @file
/// Entropic optimal transport between two weighted clouds of points in the log domain: potentials, their fixed point, and what follows.
#pragma once

#include "dalib/measure/sinkhorn_costs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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

/// Where a call of sinkhorn_divergence starts, and where it leaves its potentials: the next call on rows that have moved a little then
/// needs few sweeps and no shrinking of the blur. One for each loss of a training loop; it starts empty, and anew if the numbers of rows
/// change.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(20, 3), y = Eigen::MatrixXd::Random(16, 3).array() + 0.5;
/// sinkhorn_memory memory;
/// sinkhorn_divergence loss{{.blur = 0.3}};
/// loss.memory = &memory;
/// const double cold = loss(x, y), warm = loss(x, y);
/// assert(std::abs(cold - warm) < 1e-8 && memory.across.size() == 36);
/// @endcode
struct sinkhorn_memory {
  std::vector<double> across;         ///< potentials of the source's rows, then of the target's
  std::vector<double> source, target; ///< of each sample with itself
};

namespace detail {

/// Potentials of both sides, in scratch memory; of a cloud with itself they are one.
struct potential_pair {
  double *f, *g;
  bool converged = false;
  int sweeps = 0; ///< at the last blur
};

/// Sweeps over the potentials of two clouds, or of one with itself.
template <class Exec>
class sinkhorn_sweeps {
public:
  sinkhorn_sweeps(const point_cloud& x, const point_cloud& y, const pair_costs<Exec>& costs, const sinkhorn_settings& set,
                  workspace& scratch)
      : x_(x), y_(y), costs_(costs), set_(set), p_{scratch.template allocate_zero<double>(x.size()), nullptr},
        next_f_(scratch.template allocate<double>(x.size())), next_g_(scratch.template allocate<double>(y.size())),
        offset_(scratch.template allocate<double>(std::max(x.size(), y.size()))) {
    p_.g = self() ? p_.f : scratch.template allocate_zero<double>(y.size());
  }

  /// The blur starts at the diameter and shrinks by `scaling`, one averaged sweep each; not if there are potentials to start from. At its
  /// end averaged sweeps go on while they halve the error or so, as they do for a cloud with itself or with one like it, where alternating
  /// ones creep; then alternating ones, relaxed beyond 1 by what their rate says (Thibault et al. 2017: of two blocks, as of Young's
  /// theory), until the potentials stand still. What was found is left in `memory`, if there is one.
  potential_pair solve(std::vector<double>* memory) {
    const double last = set_.epsilon(), least = set_.tolerance * last;
    if (!start_from(memory)) {
      const double diameter = 2 * std::sqrt(std::max(largest_square(x_), largest_square(y_)));
      const double factor = set_.power == 2 ? set_.scaling * set_.scaling : set_.scaling;
      for (double epsilon = set_.power == 2 ? diameter * diameter : diameter; epsilon > last; epsilon *= factor) average(epsilon);
    }
    double change = average(last);
    int sweeps = 1;
    for (double before = 2 * change; sweeps < set_.iterations && change > least && (self() || change < 0.6 * before); ++sweeps) {
      before = change;
      change = average(last);
    }
    p_.converged = change <= least;
    p_.sweeps = sweeps;
    if (!self() && !p_.converged) alternate_until_still(last, least, sweeps);
    if (memory != nullptr) {
      memory->assign(p_.f, p_.f + x_.size());
      if (!self()) memory->insert(memory->end(), p_.g, p_.g + y_.size());
    }
    return p_;
  }

private:
  bool self() const { return &x_ == &y_; }
  double damping(double epsilon) const { return set_.unbalanced() ? set_.marginal_cost() / (set_.marginal_cost() + epsilon) : 1.0; }
  static double largest_square(const point_cloud& of) {
    double largest = 0;
    for (index_t i = 0; i < of.size(); ++i) {
      double square = 0;
      for (index_t f = 0; f < of.points.cols; ++f) square += of.points(i, f) * of.points(i, f);
      largest = std::max(largest, square);
    }
    return largest;
  }
  bool start_from(const std::vector<double>* memory) {
    const auto n = static_cast<std::size_t>(x_.size()), all = n + static_cast<std::size_t>(self() ? 0 : y_.size());
    if (memory == nullptr || memory->size() != all || !std::all_of(memory->begin(), memory->end(), [](double f) { return is_finite(f); }))
      return false;
    std::copy_n(memory->data(), n, p_.f);
    if (!self()) std::copy_n(memory->data() + n, all - n, p_.g);
    return true;
  }

  /// The best potential of one side for the other's: f for g, or the other way round.
  void best(bool of_target, double epsilon, double* to) {
    const point_cloud& others = of_target ? x_ : y_;
    const double* const potential = of_target ? p_.f : p_.g;
    for (index_t j = 0; j < others.size(); ++j) offset_[j] = potential[j] / epsilon + others.log_weights[j];
    costs_.softmin(of_target, epsilon, offset_, to);
    const double share = damping(epsilon);
    for (index_t i = 0; i < (of_target ? y_ : x_).size(); ++i) to[i] *= share;
  }
  /// Moves a potential by a share of the way to `next`; the longest way.
  static double move(double* potential, const double* next, index_t count, double share) {
    double most = 0;
    for (index_t i = 0; i < count; ++i) {
      const double way = next[i] - potential[i];
      most = std::max(most, std::abs(way));
      potential[i] += share * way;
    }
    return most;
  }

  /// Both potentials half of the way at once; the largest step of f.
  double average(double epsilon) {
    best(false, epsilon, next_f_);
    if (!self()) {
      best(true, epsilon, next_g_);
      move(p_.g, next_g_, y_.size(), 0.5);
    }
    return move(p_.f, next_f_, x_.size(), 0.5);
  }

  /// f, then g, each `relaxation` of the way.
  double alternate(double epsilon, double relaxation) {
    best(false, epsilon, next_f_);
    const double change = move(p_.f, next_f_, x_.size(), relaxation);
    best(true, epsilon, next_g_);
    move(p_.g, next_g_, y_.size(), relaxation);
    return change;
  }

  void alternate_until_still(double epsilon, double least, int sweeps) {
    double relaxation = 1, change = std::numeric_limits<double>::infinity(), best_change = change;
    for (int since = 0; sweeps < set_.iterations && change > least; ++sweeps, ++since) {
      const double before = change;
      change = alternate(epsilon, relaxation);
      if (relaxation == 1 && since >= 10 && change < before) { // the rate is known by now
        relaxation = std::min(1.98, 2 / (1 + std::sqrt(1 - std::min(change / before, 0.9999))));
        since = 0;
        best_change = change;
      } else if (relaxation > 1 && change > 4 * best_change) {
        relaxation = 1;
        since = 0;
      }
      best_change = std::min(best_change, change);
    }
    p_.converged = change <= least;
    p_.sweeps = sweeps;
    alternate(epsilon, 1); // so that the plan has its mass
  }

  const point_cloud &x_, &y_;
  const pair_costs<Exec>& costs_;
  const sinkhorn_settings& set_;
  potential_pair p_;
  double *next_f_, *next_g_, *offset_;
};

/// Value of the dual problem at the optimum; P has the mass sum a e^(-f / r) there.
inline double transport_value(const point_cloud& x, const point_cloud& y, const potential_pair& p, const sinkhorn_settings& set) {
  if (!set.unbalanced())
    return std::inner_product(p.f, p.f + x.size(), x.weights, 0.0) + std::inner_product(p.g, p.g + y.size(), y.weights, 0.0);
  const double r = set.marginal_cost();
  double moved = 0, left = 0;
  for (index_t i = 0; i < x.size(); ++i) {
    moved += x.weights[i] * std::exp(-p.f[i] / r);
    left += x.weights[i] * -std::expm1(-p.f[i] / r);
  }
  for (index_t j = 0; j < y.size(); ++j) left += y.weights[j] * -std::expm1(-p.g[j] / r);
  return r * left - set.epsilon() * (moved - x.mass() * y.mass());
}

/// Derivative of the value with respect to the weight of a row with potential f; up to a constant if balanced.
inline double weight_gradient(double f, double other_mass, const sinkhorn_settings& set) {
  if (!set.unbalanced()) return f;
  const double r = set.marginal_cost(), epsilon = set.epsilon();
  return r + epsilon * other_mass - (r + epsilon) * std::exp(-f / r);
}

} // namespace detail

} // namespace dalib
