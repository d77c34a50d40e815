/// @file
/// The answer in long double by the plain O(n^2 F) double loop, gradients included, written from the formulas and not from the library:
/// slopes are found by complex steps, estimators are dense matrices of pair weights.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <functional>
#include <vector>

namespace oracle {

using real = long double;
using complex = std::complex<real>;
using matrix = Eigen::Matrix<real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using vector = Eigen::Matrix<real, 1, Eigen::Dynamic>;
using index_t = Eigen::Index;

/// The four statistics of a pair, in this order.
enum statistic { squared, inner, cosine, l1 };

/// A kernel as a function of the four statistics; `reads` lists those that it uses.
struct kernel {
  std::function<complex(const std::array<complex, 4>&)> value;
  std::vector<statistic> reads;
};

/// Kernel of one statistic.
inline kernel of(statistic which, std::function<complex(complex)> f) {
  return {[which, f](const std::array<complex, 4>& s) { return f(s[which]); }, {which}};
}

/// Value and gradient over the joint rows (source first).
struct answer {
  real value = 0;
  matrix gradient;
};

/// The statistics of a pair; a cosine with a zero row is 0.
inline std::array<complex, 4> statistics(const vector& x, const vector& y) {
  const real norms = x.norm() * y.norm();
  return {complex((x - y).squaredNorm()), complex(x.dot(y)), complex(norms > 0 ? x.dot(y) / norms : 0), complex((x - y).cwiseAbs().sum())};
}

/// d statistic / dx; 0 where it is not differentiable.
inline vector slope_of(statistic which, const vector& x, const vector& y) {
  if (which == squared) return 2 * (x - y);
  if (which == inner) return y;
  if (which == l1) return (x - y).array().sign().matrix();
  const real nx = x.norm(), ny = y.norm();
  if (nx == 0 || ny == 0) return vector::Zero(x.size());
  return y / (nx * ny) - x * (x.dot(y) / (nx * nx * nx * ny));
}

/// sum_ij weights(i, j) k(z_i, z_j) + constant, with its gradient with respect to z if wanted.
inline answer evaluate(const kernel& k, const matrix& z, const matrix& weights, real constant = 0, bool gradient = true) {
  constexpr real step = 1e-30L;
  answer result{constant, matrix::Zero(z.rows(), z.cols())};
  for (index_t i = 0; i < z.rows(); ++i) {
    const vector x = z.row(i);
    for (index_t j = 0; j <= i; ++j) {
      const real weight = i == j ? weights(i, i) : weights(i, j) + weights(j, i);
      if (weight == 0) continue;
      const vector y = z.row(j);
      const std::array<complex, 4> s = statistics(x, y);
      result.value += weight * k.value(s).real();
      if (!gradient) continue;
      for (const statistic which : k.reads) {
        if ((which == squared || which == l1) && s[which] == complex(0)) continue;
        std::array<complex, 4> moved = s;
        moved[which] += complex(0, step);
        const real slope = weight * k.value(moved).imag() / step;
        result.gradient.row(i) += slope * slope_of(which, x, y);
        result.gradient.row(j) += slope * slope_of(which, y, x);
      }
    }
  }
  return result;
}

// ---- estimators: weights of all ordered pairs of the joint rows ----

/// V statistic.
inline matrix biased(index_t n, index_t m) {
  matrix c(n + m, n + m);
  for (index_t i = 0; i < n + m; ++i)
    for (index_t j = 0; j < n + m; ++j) {
      const bool si = i < n, sj = j < n;
      c(i, j) = si != sj ? -1 / (real(n) * real(m)) : si ? 1 / (real(n) * real(n)) : 1 / (real(m) * real(m));
    }
  return c;
}

/// U statistic.
inline matrix unbiased(index_t n, index_t m) {
  matrix c = biased(n, m);
  c.topLeftCorner(n, n).setConstant(1 / (real(n) * real(n - 1)));
  c.bottomRightCorner(m, m).setConstant(1 / (real(m) * real(m - 1)));
  c.diagonal().setZero();
  return c;
}

/// Adds `within` (k(s_i, s_j) + k(t_i, t_j)) - `across` (k(s_i, t_j) + k(s_j, t_i)).
inline void add_quadruple(matrix& c, index_t n, index_t i, index_t j, real within, real across) {
  c(i, j) += within;
  c(n + i, n + j) += within;
  c(i, n + j) -= across;
  c(j, n + i) -= across;
}

/// Disjoint pairs.
inline matrix linear_time(index_t n, index_t m) {
  matrix c = matrix::Zero(n + m, n + m);
  const index_t count = std::min(n, m) / 2;
  for (index_t q = 0; q < count; ++q) add_quadruple(c, n, 2 * q, 2 * q + 1, 1 / real(count), 1 / real(count));
  return c;
}

/// DALIB's ring of neighbours.
inline matrix ring(index_t n, bool accumulate = false) {
  matrix c = matrix::Zero(2 * n, 2 * n);
  for (index_t q = 0; q < n; ++q) add_quadruple(c, n, q, (q + 1) % n, 1 / real(n), (n == 2 && !accumulate ? real(0.5) : real(1)) / real(n));
  return c;
}

/// Mean over blocks of `rows` rows of each domain.
inline matrix blocks(index_t n, index_t m, index_t rows, const matrix& within) {
  matrix c = matrix::Zero(n + m, n + m);
  const index_t count = std::min(n, m) / rows;
  const auto place = [&](index_t block, index_t i) { return i < rows ? block * rows + i : n + block * rows + i - rows; };
  for (index_t b = 0; b < count; ++b)
    for (index_t i = 0; i < 2 * rows; ++i)
      for (index_t j = 0; j < 2 * rows; ++j) c(place(b, i), place(b, j)) += within(i, j) / real(count);
  return c;
}

// ---- bandwidth rules ----

/// Mean of all n^2 squared distances.
inline real mean_squared_distance(const matrix& z) {
  real total = 0;
  for (index_t i = 0; i < z.rows(); ++i)
    for (index_t j = 0; j < z.rows(); ++j) total += (z.row(i) - z.row(j)).squaredNorm();
  return total / (real(z.rows()) * real(z.rows()));
}

/// Median of the squared distances of the pairs i < j.
inline real median_squared_distance(const matrix& z) {
  std::vector<real> all;
  for (index_t i = 0; i < z.rows(); ++i)
    for (index_t j = 0; j < i; ++j) all.push_back((z.row(i) - z.row(j)).squaredNorm());
  std::sort(all.begin(), all.end());
  const std::size_t middle = all.size() / 2;
  return all.size() % 2 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/// Joint rows in long double.
template <class A, class B>
matrix joint(const A& zs, const B& zt) {
  matrix z(zs.rows() + zt.rows(), zs.cols());
  z << zs.template cast<real>(), zt.template cast<real>();
  return z;
}

/// |gradients - expected| / |expected| over both domains, in the Frobenius norm.
template <class A, class B>
double gradient_error(const A& gs, const B& gt, const matrix& expected) {
  return static_cast<double>((joint(gs, gt) - expected).norm() / expected.norm());
}

} // namespace oracle
