#pragma once
#include <algorithm>
#include <cmath>

#include "sum_gradients.hpp"

/// Gradients kept small between backward() and step(). Parameters without a gradient are left out. Over ranks it is the sum of all ranks'
/// gradients that is clipped, collectively; until the step it stands on the first rank alone.
namespace dalib::nn {

namespace detail {
/// Gradients stay parts of the sum that the optimiser's step makes: the first rank's part is all of it, with the same bits.
template <class Scalar>
void leave_to_first_rank(const std::vector<parameter_group<Scalar>>& groups) {
  if (!distributed::ranks::all().first()) for_each_gradient(groups, [](auto g) { g.setZero(); });
}
} // namespace detail

/// Scales all gradients by min(1, most / (norm + 1e-6)), as PyTorch does, with one Euclidean norm over all of them; returns the norm
/// before.
template <class Scalar>
double clip_gradient_norm(const std::vector<parameter_group<Scalar>>& groups, double most) {
  sum_gradients(groups);
  double squares = 0;
  for_each_gradient(groups, [&](const auto& g) { squares += g.template cast<double>().square().sum(); });
  const double norm = std::sqrt(squares), factor = std::min(1.0, most / (norm + 1e-6));
  if (factor < 1) for_each_gradient(groups, [&](auto g) { g *= static_cast<Scalar>(factor); });
  detail::leave_to_first_rank(groups);
  return norm;
}

/// Holds every entry in [-most, most].
template <class Scalar>
void clip_gradient_values(const std::vector<parameter_group<Scalar>>& groups, double most) {
  sum_gradients(groups);
  const auto limit = static_cast<Scalar>(most);
  for_each_gradient(groups, [&](auto g) { g = g.max(-limit).min(limit); });
  detail::leave_to_first_rank(groups);
}

} // namespace dalib::nn
