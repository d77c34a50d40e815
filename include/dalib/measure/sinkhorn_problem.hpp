/// @file
/// Entropic optimal transport between two weighted clouds of points in the log domain: potentials, their fixed point, and what follows.
#pragma once

#include "dalib/measure/sinkhorn_costs.hpp"
#include "dalib/measure/sinkhorn_mixing.hpp"

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
  int sweeps = 0;  ///< at the last blur
  double dual = 0; ///< value of the balanced problem, right to the square of the last change
};

/// Sweeps over the potentials of two clouds, or of one with itself.
template <class Exec>
class sinkhorn_sweeps {
public:
  sinkhorn_sweeps(const Exec& exec, const point_cloud& x, const point_cloud& y, pair_costs<Exec>& costs, const sinkhorn_settings& set,
                  bool in_float, workspace& scratch)
      : exec_(exec), scratch_(scratch), x_(x), y_(y), costs_(costs), set_(set), in_float_(in_float), n_(x.size()),
        count_(self() ? n_ : n_ + y.size()), potentials_(scratch.template allocate_zero<double>(count_)),
        steps_(scratch.template allocate<double>(count_)),
        history_(count_, scratch), p_{potentials_, self() ? potentials_ : potentials_ + n_} {}

  /// Starts from `memory`, from the potentials of every eighth row where the costs are too many to keep, or from a blur of the diameter,
  /// which shrinks by `scaling`, one averaged sweep each. Then sweeps of both sides at once, mixed by what the last ones say of the
  /// residual (Anderson 1965); where these creep, alternating ones, relaxed beyond 1 by what their rate says (Thibault et al. 2017: of two
  /// blocks, as of Young's theory), until the potentials stand still. What was found is left in `memory`, if there is one.
  potential_pair solve(std::vector<double>* memory) {
    const double last = set_.epsilon(), least = set_.tolerance * last;
    if (!start_from(memory) && !self() && !start_from_few_rows()) shrink_blur(last);
    if (!mix_until_still(last, least)) alternate_until_still(last, least);
    if (memory != nullptr) memory->assign(potentials_, potentials_ + count_);
    return p_;
  }

private:
  bool self() const { return &x_ == &y_; }
  double damping(double epsilon) const { return set_.unbalanced() ? set_.marginal_cost() / (set_.marginal_cost() + epsilon) : 1.0; }
  bool start_from(const std::vector<double>* memory) {
    if (memory == nullptr || memory->size() != static_cast<std::size_t>(count_) ||
        !std::all_of(memory->begin(), memory->end(), [](double f) { return is_finite(f); }))
      return false;
    std::copy_n(memory->data(), count_, potentials_);
    return true;
  }
  void shrink_blur(double last) {
    const double diameter = 2 * std::sqrt(std::max(x_.largest_square, y_.largest_square));
    const double factor = set_.power == 2 ? set_.scaling * set_.scaling : set_.scaling;
    double first = set_.power == 2 ? diameter * diameter : diameter;
    if (set_.power == 2 && !set_.unbalanced()) {
      start_from_mean_costs();
      first /= 16; // where exponents are a few units
    }
    for (double epsilon = first; epsilon > 1.5 * last; epsilon *= factor) { // a step that is nearly the last blur's is left out
      find_steps(epsilon);
      for (index_t i = 0; i < count_; ++i) potentials_[i] += 0.5 * steps_[i];
    }
  }

  /// The potentials of an infinite blur: mean costs, |x|^2 / 2 - x'm + sum b |y|^2 / 2 with the mean m of the others, less half of their
  /// mean.
  void start_from_mean_costs() {
    const workspace_mark mark(scratch_);
    const index_t cols = x_.points.cols;
    const auto fill = [&](const point_cloud& of, const point_cloud& others, double* to) {
      double* const mean = scratch_.template allocate_zero<double>(cols);
      double square = 0, total = 0;
      for (index_t j = 0; j < others.size(); ++j) {
        const double* const row = &others.points(j, 0);
        const double weight = others.weights[j];
        for (index_t f = 0; f < cols; ++f) mean[f] += weight * row[f];
        square += weight * others.squares[j];
      }
      for (index_t i = 0; i < of.size(); ++i) {
        to[i] = 0.5 * (of.squares[i] + square) - inner_product(&of.points(i, 0), mean, cols);
        total += of.weights[i] * to[i];
      }
      for (index_t i = 0; i < of.size(); ++i) to[i] -= 0.5 * total;
    };
    fill(x_, y_, potentials_);
    fill(y_, x_, potentials_ + n_);
  }

  /// Every eighth row, with all of the mass.
  point_cloud few_of(const point_cloud& all) const {
    constexpr index_t every = 8;
    const index_t count = (all.size() + every - 1) / every;
    const point_cloud few{{all.points.data, count, all.points.cols, every * all.points.row_stride, all.points.col_stride},
                          scratch_.template allocate<double>(count),
                          scratch_.template allocate<double>(count),
                          scratch_.template allocate<double>(count),
                          all.largest_square};
    for (index_t i = 0; i < count; ++i) {
      few.weights[i] = all.weights[every * i];
      few.squares[i] = all.squares[every * i];
    }
    const double share = all.mass() / few.mass();
    for (index_t i = 0; i < count; ++i) few.log_weights[i] = std::log(few.weights[i] *= share);
    return few;
  }
  /// The best potentials for those of a few rows, with which the points share their distribution.
  bool start_from_few_rows() {
    if (keeps_costs(x_, y_)) return false;
    const workspace_mark mark(scratch_);
    const point_cloud few_x = few_of(x_), few_y = few_of(y_);
    if (!is_finite(few_x.mass()) || !is_finite(few_y.mass())) return false; // none of them has a weight
    sinkhorn_settings rough = set_;
    rough.tolerance = std::max(1e-2, set_.tolerance);
    rough.iterations = std::min(100, set_.iterations);
    const sinkhorn_scale scale{set_.power, set_.epsilon(), rough.tolerance, in_float_};
    pair_costs<Exec> costs(exec_, few_x, few_y, scale, scratch_);
    const potential_pair few = sinkhorn_sweeps(exec_, few_x, few_y, costs, rough, in_float_, scratch_).solve(nullptr);
    extend(few.g, few_y, x_, few.f[0], potentials_, scale);
    extend(few.f, few_x, y_, few.g[0], potentials_ + n_, scale);
    return true;
  }
  void extend(const double* known, const point_cloud& of, const point_cloud& rows, double guess, double* to, const sinkhorn_scale& scale) {
    const workspace_mark mark(scratch_);
    pair_costs<Exec> costs(exec_, rows, of, scale, scratch_);
    std::fill_n(to, rows.size(), guess);
    double* const next = scratch_.template allocate<double>(rows.size());
    costs.softmins(scale.epsilon, to, known, next, nullptr);
    for (index_t i = 0; i < rows.size(); ++i) to[i] = damping(scale.epsilon) * next[i];
  }

  /// steps = the best potentials of each side for the other's, less the present ones. @returns the longest
  double find_steps(double epsilon, bool of_source = true, bool of_target = true) {
    of_target = of_target && !self();
    costs_.softmins(epsilon, p_.f, p_.g, of_source ? steps_ : nullptr, of_target ? steps_ + n_ : nullptr);
    const double share = damping(epsilon);
    double longest = 0;
    for (index_t i = of_source ? 0 : n_; i < (of_target ? count_ : n_); ++i) {
      steps_[i] = share * steps_[i] - potentials_[i];
      longest = std::max(longest, std::abs(steps_[i]));
    }
    return longest;
  }

  /// @returns false if sweeps creep, which they do not of a cloud with itself
  bool mix_until_still(double epsilon, double least) {
    constexpr int patience = 6;
    const double share = self() ? 0.5 : 1.0;
    double before[patience];
    std::fill_n(before, patience, std::numeric_limits<double>::infinity());
    history_.clear();
    for (p_.sweeps = 1;; ++p_.sweeps) {
      const double change = find_steps(epsilon);
      p_.converged = change <= least;
      double& long_ago = before[p_.sweeps % patience];
      if (p_.converged || p_.sweeps >= set_.iterations) break;
      if (!self() && change > 0.25 * long_ago) return false;
      const bool grew = change > 2 * before[(p_.sweeps + patience - 1) % patience];
      long_ago = change;
      if (grew) history_.clear();
      history_.mix(x_, y_, potentials_, steps_, grew ? 0.5 : share);
    }
    p_.dual = dual_at(0.5); // the derivative along the potentials is what they lack of the step, in both directions
    for (index_t i = 0; i < count_; ++i) potentials_[i] += share * steps_[i];
    return true;
  }
  double dual_at(double share) const {
    const auto sum = [&](const point_cloud& of, const double* potential, const double* step) {
      double total = 0;
      for (index_t i = 0; i < of.size(); ++i) total += of.weights[i] * (potential[i] + share * step[i]);
      return total;
    };
    const double own = sum(x_, potentials_, steps_);
    return own + (self() ? own : sum(y_, potentials_ + n_, steps_ + n_));
  }

  /// f, then g, each `relaxation` of the way. @returns the longest step of f
  double alternate(double epsilon, double relaxation) {
    const double change = find_steps(epsilon, true, false);
    for (index_t i = 0; i < n_; ++i) potentials_[i] += relaxation * steps_[i];
    find_steps(epsilon, false, true);
    for (index_t i = n_; i < count_; ++i) potentials_[i] += relaxation * steps_[i];
    return change;
  }
  void alternate_until_still(double epsilon, double least) {
    int sweeps = p_.sweeps;
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
    p_.dual = dual_at(0);
  }

  const Exec& exec_;
  workspace& scratch_;
  const point_cloud &x_, &y_;
  pair_costs<Exec>& costs_;
  const sinkhorn_settings& set_;
  bool in_float_;
  index_t n_, count_;
  double *potentials_, *steps_;
  mixing_history history_;
  potential_pair p_;
};

/// Value of the dual problem at the optimum; P has the mass sum a e^(-f / r) there.
inline double transport_value(const point_cloud& x, const point_cloud& y, const potential_pair& p, const sinkhorn_settings& set) {
  if (!set.unbalanced()) return p.dual;
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
