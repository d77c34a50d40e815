#pragma once

#include "inputs.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

/// The measures as one would write them without the library: plain loops over rows and features, one thread, nothing fused.
namespace dalib::benchmarks::raw {

template <class T>
T squared_distance(const T* x, const T* y, Eigen::Index features) {
  T total = 0;
  for (Eigen::Index f = 0; f < features; ++f) total += (x[f] - y[f]) * (x[f] - y[f]);
  return total;
}

/// Both samples below each other.
template <class T>
matrix<T> joined(const matrix<T>& zs, const matrix<T>& zt) {
  matrix<T> z(zs.rows() + zt.rows(), zs.cols());
  z << zs, zt;
  return z;
}

/// All squared distances of the rows of z.
template <class T>
matrix<T> squared_distances(const matrix<T>& z) {
  matrix<T> d(z.rows(), z.rows());
  for (Eigen::Index i = 0; i < z.rows(); ++i)
    for (Eigen::Index j = 0; j < z.rows(); ++j) d(i, j) = squared_distance(&z(i, 0), &z(j, 0), z.cols());
  return d;
}

/// What the unbiased estimator multiplies k(z_i, z_j) by.
template <class T>
T unbiased_coefficient(Eigen::Index i, Eigen::Index j, Eigen::Index n_s, Eigen::Index n_t) {
  if (i == j) return 0;
  const auto s = static_cast<T>(n_s), t = static_cast<T>(n_t);
  if ((i < n_s) != (j < n_s)) return -1 / (s * t);
  return i < n_s ? 1 / (s * (s - 1)) : 1 / (t * (t - 1));
}

/// Five Gaussians, 2^-3 to 2^1 times `mean`: value, and slope in the squared distance.
template <class T>
T ladder(T distance, T mean, T& slope) {
  T value = 0;
  slope = 0;
  for (T alpha = T(0.125); alpha <= 2; alpha *= 2) {
    const T rate = 1 / (2 * alpha * mean);
    const T term = std::exp(-rate * distance);
    value += term;
    slope -= rate * term;
  }
  return value;
}

/// Unbiased MMD with five Gaussians by the mean rule; gradients for `g` not null, joint rows.
template <class T>
T mmd(const matrix<T>& zs, const matrix<T>& zt, matrix<T>* g) {
  const matrix<T> z = joined(zs, zt), d = squared_distances(z);
  T mean = 0;
  for (Eigen::Index i = 0; i < d.size(); ++i) mean += d.data()[i] / static_cast<T>(d.size());
  if (g) g->setZero();
  T value = 0;
  for (Eigen::Index i = 0; i < z.rows(); ++i)
    for (Eigen::Index j = 0; j < z.rows(); ++j) {
      const T c = unbiased_coefficient<T>(i, j, zs.rows(), zt.rows());
      T slope;
      value += c * ladder(d(i, j), mean, slope);
      if (g)
        for (Eigen::Index f = 0; f < z.cols(); ++f) (*g)(i, f) += 4 * c * slope * (z(i, f) - z(j, f));
    }
  return value;
}

/// Unbiased joint MMD of two layers: five Gaussians by the mean rule times one Gaussian of sigma 0.92.
template <class T>
T joint_mmd(const matrix<T>& fs, const matrix<T>& ft, const matrix<T>& ps, const matrix<T>& pt, matrix<T>& gf, matrix<T>& gp) {
  const matrix<T> f = joined(fs, ft), p = joined(ps, pt), df = squared_distances(f), dp = squared_distances(p);
  T mean = 0;
  for (Eigen::Index i = 0; i < df.size(); ++i) mean += df.data()[i] / static_cast<T>(df.size());
  const T rate = static_cast<T>(1 / (2 * 0.92 * 0.92));
  gf.setZero();
  gp.setZero();
  T value = 0;
  for (Eigen::Index i = 0; i < f.rows(); ++i)
    for (Eigen::Index j = 0; j < f.rows(); ++j) {
      const T c = unbiased_coefficient<T>(i, j, fs.rows(), ft.rows());
      T slope;
      const T first = ladder(df(i, j), mean, slope), second = std::exp(-rate * dp(i, j));
      value += c * first * second;
      for (Eigen::Index k = 0; k < f.cols(); ++k) gf(i, k) += 4 * c * slope * second * (f(i, k) - f(j, k));
      for (Eigen::Index k = 0; k < p.cols(); ++k) gp(i, k) -= 4 * c * first * rate * second * (p(i, k) - p(j, k));
    }
  return value;
}

/// Linear-time MMD over disjoint quadruples, one Gaussian ladder with the given mean squared distance.
template <class T>
T linear_time(const matrix<T>& zs, const matrix<T>& zt, T mean, matrix<T>& gs, matrix<T>& gt) {
  const Eigen::Index count = std::min(zs.rows(), zt.rows()) / 2, features = zs.cols();
  gs.setZero();
  gt.setZero();
  T value = 0;
  const auto pair = [&](const T* x, const T* y, T* gx, T* gy, T sign) {
    T slope;
    value += sign * ladder(squared_distance(x, y, features), mean, slope) / static_cast<T>(count);
    for (Eigen::Index f = 0; f < features; ++f) {
      const T pull = 2 * sign * slope * (x[f] - y[f]) / static_cast<T>(count);
      gx[f] += pull;
      gy[f] -= pull;
    }
  };
  for (Eigen::Index q = 0; q < count; ++q) {
    const Eigen::Index i = 2 * q, j = 2 * q + 1;
    pair(&zs(i, 0), &zs(j, 0), &gs(i, 0), &gs(j, 0), 1);
    pair(&zt(i, 0), &zt(j, 0), &gt(i, 0), &gt(j, 0), 1);
    pair(&zs(i, 0), &zt(j, 0), &gs(i, 0), &gt(j, 0), -1);
    pair(&zs(j, 0), &zt(i, 0), &gs(j, 0), &gt(i, 0), -1);
  }
  return value;
}

/// Softmax of every row.
template <class T>
matrix<T> softmax(const matrix<T>& logits) {
  matrix<T> p(logits.rows(), logits.cols());
  for (Eigen::Index i = 0; i < p.rows(); ++i) {
    T top = logits(i, 0), total = 0;
    for (Eigen::Index c = 1; c < p.cols(); ++c) top = std::max(top, logits(i, c));
    for (Eigen::Index c = 0; c < p.cols(); ++c) total += p(i, c) = std::exp(logits(i, c) - top);
    for (Eigen::Index c = 0; c < p.cols(); ++c) p(i, c) /= total;
  }
  return p;
}

/// Mean binary cross-entropy of both domains' logits, halved, with gradients.
template <class T>
T domain_adversarial(const matrix<T>& ls, const matrix<T>& lt, matrix<T>& gs, matrix<T>& gt) {
  T value = 0;
  for (Eigen::Index i = 0; i < ls.rows(); ++i) {
    const T p = 1 / (1 + std::exp(-ls(i, 0))), weight = T(0.5) / static_cast<T>(ls.rows());
    value -= weight * std::log(p);
    gs(i, 0) = weight * (p - 1);
  }
  for (Eigen::Index i = 0; i < lt.rows(); ++i) {
    const T p = 1 / (1 + std::exp(-lt(i, 0))), weight = T(0.5) / static_cast<T>(lt.rows());
    value -= weight * std::log(1 - p);
    gt(i, 0) = weight * p;
  }
  return value;
}

/// Margin disparity, margin 4, with gradients of the adversarial logits.
template <class T>
T margin_disparity(const matrix<T>& ys, const matrix<T>& as, const matrix<T>& yt, const matrix<T>& at, matrix<T>& gs, matrix<T>& gt) {
  T value = 0;
  const auto domain = [&value](const matrix<T>& y, const matrix<T>& adversarial, matrix<T>& g, bool source) {
    g = softmax(adversarial);
    for (Eigen::Index i = 0; i < g.rows(); ++i) {
      const Eigen::Index k = std::max_element(&y(i, 0), &y(i, 0) + y.cols()) - &y(i, 0);
      const T p = g(i, k), weight = (source ? T(4) : T(1)) / static_cast<T>(g.rows());
      value -= weight * std::log(source ? p : 1 - p);
      const T factor = source ? weight : -weight * p / (1 - p);
      for (Eigen::Index c = 0; c < g.cols(); ++c) g(i, c) = factor * (g(i, c) - (c == k ? 1 : 0));
    }
  };
  domain(ys, as, gs, true);
  domain(yt, at, gt, false);
  return value;
}

/// Mean absolute difference of both classifiers' softmax, with gradients of their logits.
template <class T>
T classifier_discrepancy(const matrix<T>& first, const matrix<T>& second, matrix<T>& g1, matrix<T>& g2) {
  const matrix<T> p1 = softmax(first), p2 = softmax(second);
  const T weight = 1 / static_cast<T>(p1.size());
  T value = 0;
  for (Eigen::Index i = 0; i < p1.rows(); ++i) {
    T mean1 = 0, mean2 = 0;
    const auto sign = [&](Eigen::Index c) { return p1(i, c) > p2(i, c) ? weight : (p1(i, c) < p2(i, c) ? -weight : T(0)); };
    for (Eigen::Index c = 0; c < p1.cols(); ++c) {
      value += weight * std::abs(p1(i, c) - p2(i, c));
      mean1 += p1(i, c) * sign(c);
      mean2 += p2(i, c) * sign(c);
    }
    for (Eigen::Index c = 0; c < p1.cols(); ++c) {
      g1(i, c) = p1(i, c) * (sign(c) - mean1);
      g2(i, c) = -p2(i, c) * (sign(c) - mean2);
    }
  }
  return value;
}

/// Softmax of g times f, every class with every feature, and its pull-back of `upstream` to f and g.
template <class T>
void multilinear_map(const matrix<T>& f, const matrix<T>& g, const matrix<T>& upstream, matrix<T>& h, matrix<T>& gf, matrix<T>& gg) {
  const matrix<T> p = softmax(g);
  std::vector<T> slopes(static_cast<std::size_t>(g.cols()));
  gf.setZero();
  for (Eigen::Index i = 0; i < f.rows(); ++i) {
    T mean = 0;
    for (Eigen::Index c = 0; c < g.cols(); ++c) {
      T slope = 0;
      for (Eigen::Index j = 0; j < f.cols(); ++j) {
        const T u = upstream(i, c * f.cols() + j);
        h(i, c * f.cols() + j) = p(i, c) * f(i, j);
        gf(i, j) += p(i, c) * u;
        slope += f(i, j) * u;
      }
      slopes[static_cast<std::size_t>(c)] = slope;
      mean += p(i, c) * slope;
    }
    for (Eigen::Index c = 0; c < g.cols(); ++c) gg(i, c) = p(i, c) * (slopes[static_cast<std::size_t>(c)] - mean);
  }
}

} // namespace dalib::benchmarks::raw
