#pragma once
#include <algorithm>
#include <cmath>

#include "sum_gradients.hpp"

/// Gradients kept small between backward() and step(). Parameters without a gradient are left out. Over ranks it is the sum of all ranks'
/// gradients that is clipped, collectively; the step takes it as it is.
namespace dalib::nn {

/// Scales all gradients by min(1, most / (norm + 1e-6)), as PyTorch does, with one Euclidean norm over all of them; returns the norm
/// before.
template <class Scalar>
double clip_gradient_norm(const std::vector<parameter_group<Scalar>>& groups, double most) {
  sum_gradients(groups);
  double squares = 0;
  for_each_gradient(groups, [&](const auto& g) { squares += g.template cast<double>().square().sum(); });
  const double norm = std::sqrt(squares), factor = std::min(1.0, most / (norm + 1e-6));
  if (factor < 1) for_each_gradient(groups, [&](auto g) { g *= static_cast<Scalar>(factor); });
  return norm;
}

/// Holds every entry in [-most, most].
template <class Scalar>
void clip_gradient_values(const std::vector<parameter_group<Scalar>>& groups, double most) {
  sum_gradients(groups);
  const auto limit = static_cast<Scalar>(most);
  for_each_gradient(groups, [&](auto g) { g = g.max(-limit).min(limit); });
}

} // namespace dalib::nn
