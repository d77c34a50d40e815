/// @file
/// Gradients of losses of class scores in long double, by formulas that subtract nothing but logits and slopes: for each pair of classes
/// the two products of exponentials are compared by the difference of their logarithms. O(C^2) a row.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

namespace softmax_oracle {

using real = long double;
using matrix = Eigen::Matrix<real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row = Eigen::Matrix<real, 1, Eigen::Dynamic>;
template <class T>
using input = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Normal logits of a deviation; as numbers of T, so that the oracle sees what the library sees.
template <class T>
input<T> normal_logits(Eigen::Index rows, Eigen::Index classes, double deviation, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::normal_distribution<double> normal(0, deviation);
  return input<T>::NullaryExpr(rows, classes, [&] { return static_cast<T>(normal(bits)); });
}

/// Shares of one row: every one with all its digits, however small.
inline row softmax(const row& logits) {
  const row e = (logits.array() - logits.maxCoeff()).exp();
  return e / e.sum();
}

/// p_c sum_k p_k (u_c - u_k): a gradient u with respect to the shares pulled back to the logits.
inline row pull(const row& p, const std::function<real(Eigen::Index c, Eigen::Index k)>& slope_difference) {
  row g(p.size());
  for (Eigen::Index c = 0; c < p.size(); ++c) {
    real total = 0;
    for (Eigen::Index k = 0; k < p.size(); ++k) total += p(k) * slope_difference(c, k);
    g(c) = p(c) * total;
  }
  return g;
}
inline row pull(const row& p, const row& slopes) {
  return pull(p, [&](Eigen::Index c, Eigen::Index k) { return slopes(c) - slopes(k); });
}

/// softmax(a) - softmax(b), every entry with all its digits unless its terms cancel; those add up to `scale`.
struct difference {
  row value, scale;
};
inline difference softmax_difference(const row& a, const row& b) {
  const row x = a.array() - a.maxCoeff(), y = b.array() - b.maxCoeff();
  const real total = x.array().exp().sum() * y.array().exp().sum();
  difference d{row::Zero(a.size()), row::Zero(a.size())};
  for (Eigen::Index c = 0; c < a.size(); ++c)
    for (Eigen::Index k = 0; k < a.size(); ++k) { // (e^x_c e^y_k - e^y_c e^x_k) / total
      const real first = x(c) + y(k), second = y(c) + x(k);
      const real term = std::exp(std::max(first, second)) * std::expm1(-std::abs(first - second)) / total;
      d.value(c) += first > second ? -term : term;
      d.scale(c) += std::abs(term);
    }
  return d;
}

/// What counts as 0 in T: shares below the smallest normal number may be 0, and slopes are at most 1e8 here.
template <class T>
constexpr real vanishing = 1e8L * static_cast<real>(std::numeric_limits<T>::min());

/// Largest error of a row of a gradient in units of T's rounding of its largest entry.
template <class T, class Row>
double error_of_row(const Row& found, const row& expected) {
  const real largest = std::max(expected.cwiseAbs().maxCoeff(), vanishing<T>);
  real error = 0;
  for (Eigen::Index c = 0; c < expected.size(); ++c) {
    const real one = std::abs(static_cast<real>(found(c)) - expected(c)) - vanishing<T>;
    if (!(one <= error)) error = one; // NaN too
  }
  return static_cast<double>(error / largest / static_cast<real>(std::numeric_limits<T>::epsilon()));
}

} // namespace softmax_oracle
