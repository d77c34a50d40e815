#pragma once
// How far the features of two domains are apart, measured in two ways that need no labels.

#include <Eigen/Core>

namespace dalib::train {

/// What can be said of two samples of features. Numbers are NaN where all features are equal.
struct domain_gap {
  double mmd;             ///< squared MK-MMD, unbiased: five Gaussians around the mean squared distance, as DAN's; may be negative
  double p_value;         ///< of its permutation test, 499 draws: 0.002 is the least
  double a_distance;      ///< proxy A-distance 2 (1 - 2 error) of a linear classifier of the domains: 2 apart, about 0 not to be told apart
  double domain_accuracy; ///< of that classifier on rows that it was not fitted to, percent
};

/// Measures (n_s, F) against (n_t, F) features, whose rows are in a random order. The classifier sees equally many rows of both, fits a
/// half of them and judges the other, both ways: least squares on the domain, its ridge by leave-one-out. The same bits for any number of
/// threads. O(n^2 (F + 500) + n^3); meant for a few hundred rows. Throws std::invalid_argument for fewer than 4 rows in a domain.
domain_gap measure_gap(const Eigen::MatrixXf& source, const Eigen::MatrixXf& target);

} // namespace dalib::train
