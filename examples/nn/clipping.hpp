#pragma once
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "../autodiff/elementwise.hpp"
#include "module.hpp"

/// Gradients kept small between backward() and step(). Parameters without a gradient are left out.
namespace dalib::nn {

/// Calls f(gradient as an Eigen array) for every parameter of the groups that has one.
template <class Scalar, class F>
void for_each_gradient(const std::vector<parameter_group<Scalar>>& groups, const F& f) {
  for (const auto& group : groups)
    for (const auto& p : group.parameters)
      if (p.has_gradient()) f(ad::elements(p.handle()->gradient, 0, p.handle()->gradient.size()));
}

namespace detail {
/// A rank's own gradients are parts of the sum that the optimiser makes: their norm says nothing.
inline void require_alone() {
  if (!distributed::ranks::all().alone())
    throw std::logic_error("clipping: gradients are parts of a sum over ranks until the optimiser's step");
}
} // namespace detail

/// Scales all gradients by min(1, most / (norm + 1e-6)), as PyTorch does, with one Euclidean norm over all of them; returns the norm
/// before.
template <class Scalar>
double clip_gradient_norm(const std::vector<parameter_group<Scalar>>& groups, double most) {
  detail::require_alone();
  double squares = 0;
  for_each_gradient(groups, [&](const auto& g) { squares += g.template cast<double>().square().sum(); });
  const double norm = std::sqrt(squares), factor = std::min(1.0, most / (norm + 1e-6));
  if (factor < 1) for_each_gradient(groups, [&](auto g) { g *= static_cast<Scalar>(factor); });
  return norm;
}

/// Holds every entry in [-most, most].
template <class Scalar>
void clip_gradient_values(const std::vector<parameter_group<Scalar>>& groups, double most) {
  detail::require_alone();
  const auto limit = static_cast<Scalar>(most);
  for_each_gradient(groups, [&](auto g) { g = g.max(-limit).min(limit); });
}

} // namespace dalib::nn
