/// @file
/// The inverse root of a symmetric positive definite matrix without its eigenvectors, in double and in scratch memory.
#pragma once

#include "dalib/measure/decompositions.hpp"
#include "dalib/simd/pack.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace dalib::detail {

/// A^(-1/2) = sum_j weights[j] (shifts[j] + A)^-1 up to 1e-12 for eigenvalues between `least` and `most`.
struct root_quadrature {
  static constexpr int most_points = 48;
  int count;
  double shifts[most_points], weights[most_points];

  /// The integral 2/pi int_0^oo (s^2 + A)^-1 ds by the midpoint rule, in s = sqrt(least) sc(u) with the elliptic function of the modulus
  /// 1 - least/most: it converges by a factor of e^(pi^2 / log(4 sqrt(most/least))) a point (Hale, Higham and Trefethen 2008, section 3).
  root_quadrature(double least, double most) {
    const double modulus = std::sqrt(least / most); // the complementary one
    double means[12] = {1}, gaps[12] = {};
    int steps = 0;
    for (double a = 1, b = modulus; a - b > 1e-15 * a && steps < 11; ++steps) { // arithmetic-geometric mean
      means[steps + 1] = (a + b) / 2;
      gaps[steps + 1] = (a - b) / 2;
      b = std::sqrt(a * b);
      a = means[steps + 1];
    }
    const double quarter = std::numbers::pi / (2 * means[steps]);
    constexpr double digits = 28; // of e
    count =
        std::clamp(static_cast<int>(std::ceil(digits * std::log(4 / modulus) / (std::numbers::pi * std::numbers::pi))) + 1, 2, most_points);
    count += count % 2;
    for (int j = 0; j < count / 2; ++j) {
      double angle = std::ldexp(means[steps], steps) * (j + 0.5) * quarter / count;
      for (int k = steps; k > 0; --k) angle = (angle + std::asin(gaps[k] / means[k] * std::sin(angle))) / 2; // Landen
      const double sn = std::sin(angle), cn = std::cos(angle), dn = std::hypot(cn, modulus * sn);
      const double factor = 2 / std::numbers::pi * quarter / count * std::sqrt(least);
      set(j, least * sn * sn / (cn * cn), factor * dn / (cn * cn));
      set(count - 1 - j, most * cn * cn / (sn * sn), factor * dn / (modulus * sn * sn)); // at quarter - u
    }
  }

private:
  void set(int place, double shift, double weight) {
    shifts[place] = shift;
    weights[place] = weight;
  }
};

/// A symmetric tridiagonal matrix.
struct tridiagonal {
  const double *diagonal, *below;
  index_t size;

  double largest() const { ///< no eigenvalue is larger (Gershgorin)
    double result = 0;
    for (index_t i = 0; i < size; ++i)
      result = std::max(result, diagonal[i] + (i > 0 ? std::abs(below[i - 1]) : 0) + (i + 1 < size ? std::abs(below[i]) : 0));
    return result;
  }
  bool above(double shift) const { ///< whether all eigenvalues are
    double pivot = diagonal[0] - shift;
    for (index_t i = 1; i < size && pivot > 0; ++i) pivot = diagonal[i] - shift - below[i - 1] * below[i - 1] / pivot;
    return pivot > 0;
  }
};

/// The inverse root of a tridiagonal matrix, and the trace of its root.
struct tridiagonal_root {
  double trace;
  double spread;       ///< no two eigenvalues differ by a larger factor; up to 8 times as large as need be, or more where bounds are poor
  real_matrix inverse; ///< if wanted

  /// The columns of (s + T)^-1 are products of pivots: O(size^2) for each s. None if an eigenvalue is below 1e-9 of the largest.
  template <class Exec>
  static std::optional<tridiagonal_root> of(const scratch_algebra<Exec>& work, const tridiagonal& t, bool with_inverse) {
    const double most = t.largest();
    double least = most / 4;
    while (least > 1e-9 * most && !t.above(least)) least /= 4;
    if (!(least > 1e-9 * most)) return std::nullopt;
    const root_quadrature points(least, most);
    const index_t n = t.size, stride = (n + pack<double>::size - 1) / pack<double>::size * pack<double>::size;
    tridiagonal_root result{0, most / least, {}};
    if (with_inverse) result.inverse = {work.scratch.template allocate_zero<double>(n * stride), n, n, stride, 1};
    const workspace_mark mark(work.scratch);
    double* const own = work.scratch.template allocate<double>(n * lanes);   // of the inverse's diagonal, weighted
    double* const ratio = work.scratch.template allocate<double>(n * lanes); // of a row of the inverse to the one above
    double* const column = work.scratch.template allocate_zero<double>(lanes * stride);
    for (int first = 0; first < points.count; first += lanes) {
      double shift[lanes], weight[lanes], pivot[lanes];
      for (int p = 0; p < lanes; ++p) {
        const bool there = first + p < points.count;
        shift[p] = points.shifts[there ? first + p : 0];
        weight[p] = there ? points.weights[first + p] : 0;
        pivot[p] = t.diagonal[n - 1] + shift[p];
        own[(n - 1) * lanes + p] = weight[p] / pivot[p];
      }
      for (index_t i = n - 1; i-- > 0;)
        for (int p = 0; p < lanes; ++p) {
          ratio[(i + 1) * lanes + p] = -t.below[i] / pivot[p];
          pivot[p] = t.diagonal[i] + shift[p] - t.below[i] * t.below[i] / pivot[p];
          own[i * lanes + p] = weight[p] / pivot[p];
        }
      for (index_t i = 1; i < n; ++i) // positive terms of one factorisation: the inverse of a matrix that is as near as rounding
        for (int p = 0; p < lanes; ++p) own[i * lanes + p] += ratio[i * lanes + p] * ratio[i * lanes + p] * own[(i - 1) * lanes + p];
      for (index_t i = 0; i < n; ++i)
        for (int p = 0; p < lanes; ++p) {
          result.trace += t.diagonal[i] * own[i * lanes + p];
          if (i + 1 < n) result.trace += 2 * t.below[i] * own[i * lanes + p] * ratio[(i + 1) * lanes + p];
        }
      for (index_t i = 0; with_inverse && i < n; ++i) add_row(&result.inverse(i, 0), i, ratio + i * lanes, own + i * lanes, column, stride);
    }
    for (index_t i = 0; with_inverse && i < n; ++i)
      for (index_t j = i + 1; j < n; ++j) result.inverse(i, j) = result.inverse(j, i);
    return result;
  }

private:
  static constexpr int lanes = 8; ///< shifts at once: they hide each other's divisions

  /// Row i of the lower triangle for all shifts: what was row i - 1 times the ratios, and the diagonal.
  static void add_row(double* to, index_t i, const double* ratio, const double* own, double* rows, index_t stride) {
    using vector = pack<double>;
    for (index_t j = 0; j < i; j += vector::size) {
      vector sum = vector::load(to + j);
      for (int p = 0; p < lanes; ++p) {
        const vector next = vector(ratio[p]) * vector::load(rows + p * stride + j);
        next.store(rows + p * stride + j);
        sum += next;
      }
      sum.store(to + j);
    }
    for (int p = 0; p < lanes; ++p) {
      rows[p * stride + i] = own[p];
      std::fill(rows + p * stride + i + 1, rows + std::min(stride, (i / vector::size + 1) * vector::size) + p * stride, 0.0);
      to[i] += own[p];
    }
  }
};

/// sum sqrt(l) over the eigenvalues l, and the inverse root, of a symmetric matrix that lies in one piece and is destroyed.
struct matrix_root {
  double trace;
  double spread; ///< see tridiagonal_root
  real_matrix inverse;
};

/// O(size^3): tridiagonal by reflections, as symmetric_eigen, but no rotations of eigenvectors, which are most of its time. None if an
/// eigenvalue is below 1e-9 of the largest.
template <class Exec>
std::optional<matrix_root> root_of(const scratch_algebra<Exec>& work, const real_matrix& matrix, bool with_inverse) {
  const index_t n = matrix.rows;
  double *const diagonal = work.scratch.template allocate<double>(4 * n), *const below = diagonal + n, *const factors = below + n;
  const double unit = tridiagonalise<double>(matrix.data, n, diagonal, below, factors);
  const auto root = tridiagonal_root::of(work, {diagonal, below, n}, with_inverse);
  if (!root) return std::nullopt;
  const double scale = std::sqrt(unit);
  if (!with_inverse) return matrix_root{scale * root->trace, root->spread, {}};
  form_reflections<double>(matrix.data, n, factors, factors + n);
  const const_real_matrix q(matrix.data, n, n, 1, n), inverse = root->inverse;
  return matrix_root{scale * root->trace, root->spread, work.product(q, work.product(inverse, q.transposed()), 1 / scale)};
}

} // namespace dalib::detail
