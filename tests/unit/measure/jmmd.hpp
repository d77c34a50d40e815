/// @file
/// A random problem of two layers, and JMMD with DALIB's kernels on it by the plain double loop in extended precision.
#pragma once

#include "support/loss_checks.hpp"
#include "support/oracle.hpp"

namespace jmmd {

struct answer {
  oracle::real value = 0;
  oracle::matrix first, second; ///< gradients over the joint rows of each layer
};

/// Features (n, F) and softmax-like outputs (n, C) of both domains.
template <class T>
struct two_layers {
  checks::row_major<T> s1, s2, t1, t2;

  two_layers(Eigen::Index n_s, Eigen::Index n_t, Eigen::Index features, Eigen::Index classes)
      : s1(checks::random_rows<T>(n_s, features, 1)), s2(checks::softmax(checks::random_matrix(n_s, classes, 2)).template cast<T>()),
        t1(checks::random_rows<T>(n_t, features, 3).array() + T(0.5)),
        t2(checks::softmax(checks::random_matrix(n_t, classes, 4)).template cast<T>()) {}

  auto source() const { return dalib::layers(s1, s2); }
  auto target() const { return dalib::layers(t1, t2); }

  /// sum_ij pairs(i, j) k1(i, j) k2(i, j) + constant; k1 a sum of Gaussians of 2^-3 .. 2^1 times the mean squared distance, k2 of sigma
  /// 0.92.
  answer formula(const oracle::matrix& pairs, oracle::real constant) const {
    const oracle::matrix z1 = oracle::joint(s1, t1), z2 = oracle::joint(s2, t2);
    const oracle::real mean = oracle::mean_squared_distance(z1);
    answer result{constant, oracle::matrix::Zero(z1.rows(), z1.cols()), oracle::matrix::Zero(z2.rows(), z2.cols())};
    for (Eigen::Index i = 0; i < z1.rows(); ++i)
      for (Eigen::Index j = 0; j < z1.rows(); ++j) {
        if (pairs(i, j) == 0) continue;
        const oracle::vector d1 = z1.row(i) - z1.row(j), d2 = z2.row(i) - z2.row(j);
        oracle::real k1 = 0, slope1 = 0;
        for (int power = -3; power <= 1; ++power) {
          const oracle::real rate = 1 / (2 * std::ldexp(mean, power));
          k1 += std::exp(-rate * d1.squaredNorm());
          slope1 -= rate * std::exp(-rate * d1.squaredNorm());
        }
        const oracle::real rate2 = 1 / (2 * 0.92L * 0.92L);
        const oracle::real k2 = std::exp(-rate2 * d2.squaredNorm());
        result.value += pairs(i, j) * k1 * k2;
        const oracle::vector pull1 = pairs(i, j) * k2 * slope1 * 2 * d1, pull2 = -pairs(i, j) * k1 * rate2 * k2 * 2 * d2;
        result.first.row(i) += pull1;
        result.first.row(j) -= pull1;
        result.second.row(i) += pull2;
        result.second.row(j) -= pull2;
      }
    return result;
  }
};

} // namespace jmmd
