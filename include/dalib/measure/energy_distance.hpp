/// @file
/// The energy distance with any exponent, and its derivative with respect to weights.
#pragma once

#include "dalib/kernel/distance_power.hpp"
#include "dalib/measure/mmd.hpp"

#include <array>
#include <cmath>
#include <vector>

namespace dalib {

/// Energy distance of two samples (Szekely and Rizzo 2013, eq. 5 and section 4):
///
///     2 E |x - y|^b - E |x - x'|^b - E |y - y'|^b,   0 < b <= 2
///
/// It is the squared MMD of the kernel -|x - y|^b, so it takes samples, weights, estimators, executions and devices as mmd does, at the
/// same cost and with its errors; `estimator::biased` has all pairs (the V-statistic, always >= 0), `estimator::unbiased` leaves out a row
/// with itself. geomloss' "energy" is half of it. Coinciding rows add nothing to the gradient.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Zero(2, 1), zt = Eigen::MatrixXd::Constant(2, 1, 4);
/// assert(std::abs(energy_distance{}(zs, zt) - 8) < 1e-14);       // 2 |x - y|
/// assert(std::abs(energy_distance{1.5}(zs, zt) - 16) < 1e-13);   // 2 |x - y|^1.5
/// @endcode
template <class Estimator = estimator::biased>
struct energy_distance : call_forms<energy_distance<Estimator>> {
  static constexpr const char* name = "energy_distance";
  static constexpr std::size_t arity = 2;

  double exponent;
  Estimator estimator{};

  explicit energy_distance(double b = 1, Estimator by = {}) : exponent(b), estimator(by) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    return mmd{kernel::distance_power{exponent}, estimator}.evaluate(call, zs, zt);
  }
};
energy_distance()->energy_distance<>;
energy_distance(double)->energy_distance<>;
template <class Estimator>
energy_distance(double, Estimator) -> energy_distance<Estimator>;

/// Derivatives of sum_ij 2 w_i v_j |x_i - y_j|^b - w_i w_j |x_i - x_j|^b - v_i v_j |y_i - y_j|^b with respect to the weights, which are not
/// normalised; source, then target. O((n_s + n_t)^2 F) in double, on the host. @throws std::invalid_argument as energy_distance.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(4, 2), zt = Eigen::MatrixXd::Random(3, 2);
/// const std::vector<double> w(4, 0.25), v(3, 1.0 / 3);
/// const auto [of_w, of_v] = energy_weight_gradients(weighted(zs, w), weighted(zt, v), 1);
/// double twice = 0; // the sum is quadratic in (w, v): their derivatives give it back
/// for (double g : of_w) twice += 0.25 * g;
/// for (double g : of_v) twice += g / 3;
/// assert(std::abs(twice - 2 * energy_distance{}(zs, zt)) < 1e-14);
/// @endcode
template <sample_like ZS, sample_like ZT>
std::array<std::vector<double>, 2> energy_weight_gradients(const ZS& zs, const ZT& zt, double exponent) {
  const engine::joint_sample<sample_value<ZS>> data{sample_of(zs), sample_of(zt)};
  require_two_samples("energy_weight_gradients", data.source.rows, data.target.rows);
  static_cast<void>(kernel::distance_power{exponent}.bind(0));
  std::array<std::vector<double>, 2> result;
  for (index_t i = 0; i < data.rows(); ++i) {
    double sum = 0;
    for (index_t j = 0; j < data.rows(); ++j) {
      const double power = std::pow(engine::squared_distance_of(data, i, j), 0.5 * exponent);
      sum += 2 * data.weight(j) * (data.is_source(i) == data.is_source(j) ? -power : power);
    }
    result[data.is_source(i) ? 0 : 1].push_back(sum);
  }
  return result;
}

} // namespace dalib
