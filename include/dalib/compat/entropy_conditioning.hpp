/// @file
/// DALIB's entropy conditioning of CDAN.
#pragma once

#include "dalib/measure/maps/entropy_conditioning.hpp"

namespace dalib::compat {

/// DALIB's entropy conditioning: joint_entropy with 1e-5 inside the logarithm.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = (Eigen::MatrixXd(1, 2) << 50, 0).finished(), unsure = Eigen::MatrixXd::Zero(1, 2);
/// const auto first_weight = [&](auto conditioning) {
///   return weigh_samples(exec::serial{}, conditioning, const_view_of(sure), const_view_of(unsure)).values[0];
/// };
/// const double ours = first_weight(conditioning::joint_entropy{}), dalibs = first_weight(compat::entropy_conditioning{});
/// assert(ours != dalibs && std::abs(ours - dalibs) < 1e-4);
/// @endcode
struct entropy_conditioning : conditioning::joint_entropy {
  entropy_conditioning() : conditioning::joint_entropy{1e-5} {}
};

} // namespace dalib::compat
