/// @file
/// The small quadratic program of kernel selection.
#pragma once

#include "dalib/core/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace dalib::selection {

/// What least_variance found.
struct least_variance_result {
  std::vector<double> beta;
  double residual =
      0; ///< largest violation of the optimality conditions, relative to the multiplier; at most 1e-10 up to condition 1e8 of A
};

/// min beta^T A beta subject to values . beta = 1, beta >= 0, for a symmetric positive definite A (n x n, row-major) and values of which at
/// least one is positive.
///
/// beta is proportional to the x >= 0 that minimises x^T A x / 2 - values . x: the optimality conditions are the same up to scale. That
/// problem is solved by the active-set method of Lawson and Hanson (1974, chapter 23): finitely many steps, each a Cholesky solve of at
/// most n unknowns, in extended precision.
/// @throws std::invalid_argument if no value is positive or A is not positive definite to working precision.
///
/// @code{.cpp}
/// const std::vector<double> covariance = {1, 0, 0, 4}, values = {1, 1};
/// const selection::least_variance_result found = selection::least_variance(covariance, values).solve();
/// assert(std::abs(found.beta[0] - 0.8) < 1e-12 && std::abs(found.beta[1] - 0.2) < 1e-12); // by inverse variance
/// assert(found.residual < 1e-10);
/// @endcode
class least_variance {
public:
  least_variance(const std::vector<double>& matrix, const std::vector<double>& values)
      : size_(values.size()), matrix_(matrix.begin(), matrix.end()), values_(values.begin(), values.end()), x_(size_, 0),
        free_(size_, false) {
    if (matrix.size() != size_ * size_) fail("least_variance", "the matrix must have one row and one column per value");
    const real largest = size_ > 0 ? *std::max_element(values_.begin(), values_.end()) : 0;
    if (!(largest > 0)) fail("least_variance", "at least one value must be positive");
    scale_ = largest;
  }

  least_variance_result solve() {
    // Each pass of the outer loop lowers the objective, so no set of free variables comes back; the bound only guards against rounding.
    for (std::size_t step = 0; step < 10 * size_; ++step) {
      const std::size_t enter = most_promising();
      if (enter == size_) break;
      free_[enter] = true;
      move_to_minimum();
    }
    return result();
  }

private:
  using real = long double;
  static constexpr real tolerance = 1e-15L;

  real at(std::size_t i, std::size_t j) const { return matrix_[i * size_ + j]; }
  /// values - A x: minus the gradient.
  real descent(std::size_t i) const {
    real total = values_[i];
    for (std::size_t j = 0; j < size_; ++j) total -= at(i, j) * x_[j];
    return total;
  }

  /// The bound variable along which the objective falls fastest; size_ if there is none.
  std::size_t most_promising() const {
    std::size_t best = size_;
    real steepest = tolerance * scale_;
    for (std::size_t i = 0; i < size_; ++i)
      if (!free_[i] && descent(i) > steepest) {
        steepest = descent(i);
        best = i;
      }
    return best;
  }

  /// Goes to the minimum over the free variables; those that would turn negative on the way are bound again.
  void move_to_minimum() {
    for (;;) {
      const std::vector<real> goal = unconstrained_minimum();
      real step = 1;
      for (std::size_t i = 0; i < size_; ++i)
        if (free_[i] && goal[i] <= 0) step = std::min(step, x_[i] / (x_[i] - goal[i]));
      bool inside = true;
      for (std::size_t i = 0; i < size_; ++i) {
        if (!free_[i]) continue;
        const bool leaves = goal[i] <= 0 && x_[i] / (x_[i] - goal[i]) <= step;
        x_[i] = leaves ? 0 : x_[i] + step * (goal[i] - x_[i]);
        free_[i] = !leaves;
        inside = inside && !leaves;
      }
      if (inside) return;
    }
  }

  /// Solves A x = values over the free variables by Cholesky factorisation; the others are 0.
  std::vector<real> unconstrained_minimum() const {
    std::vector<std::size_t> place;
    for (std::size_t i = 0; i < size_; ++i)
      if (free_[i]) place.push_back(i);
    const std::size_t n = place.size();
    std::vector<real> factor(n * n), y(n), result(size_, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        real total = at(place[i], place[j]);
        for (std::size_t k = 0; k < j; ++k) total -= factor[i * n + k] * factor[j * n + k];
        if (i == j && !(total > 0)) fail("least_variance", "the covariance with its ridge is not positive definite: take a larger ridge");
        factor[i * n + j] = i == j ? std::sqrt(total) : total / factor[j * n + j];
      }
    for (std::size_t i = 0; i < n; ++i) {
      y[i] = values_[place[i]];
      for (std::size_t k = 0; k < i; ++k) y[i] -= factor[i * n + k] * y[k];
      y[i] /= factor[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) y[i] -= factor[k * n + i] * y[k];
      y[i] /= factor[i * n + i];
      result[place[i]] = y[i];
    }
    return result;
  }

  least_variance_result result() const {
    least_variance_result found{std::vector<double>(size_), 0};
    real total = 0;
    for (std::size_t i = 0; i < size_; ++i) total += values_[i] * x_[i];
    for (std::size_t i = 0; i < size_; ++i) {
      found.beta[i] = static_cast<double>(x_[i] / total);
      const real violation = free_[i] ? std::abs(descent(i)) : std::max<real>(descent(i), 0);
      found.residual = std::max(found.residual, static_cast<double>(violation / scale_));
    }
    return found;
  }

  std::size_t size_;
  std::vector<real> matrix_, values_, x_;
  std::vector<bool> free_;
  real scale_ = 1;
};

} // namespace dalib::selection
