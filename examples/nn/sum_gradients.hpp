#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "../autodiff/elementwise.hpp"
#include "module.hpp"

namespace dalib::nn {

/// Calls f(gradient as an Eigen array) for every parameter of the groups that has one.
template <class Scalar, class F>
void for_each_gradient(const std::vector<parameter_group<Scalar>>& groups, const F& f) {
  for (const auto& group : groups)
    for (const auto& p : group.parameters)
      if (p.has_gradient()) f(ad::elements(p.handle()->gradient, 0, p.handle()->gradient.size()));
}

/// Makes the gradients of all parameters the sum over the ranks, added in the ranks' order. Nothing where the program trains alone.
template <class Scalar>
void sum_gradients(const std::vector<parameter_group<Scalar>>& groups) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone()) return;
  std::size_t count = 0;
  for_each_gradient(groups, [&](const auto& g) { count += static_cast<std::size_t>(g.size()); });
  std::vector<Scalar> together;
  together.reserve(count);
  for_each_gradient(groups, [&](const auto& g) { together.insert(together.end(), g.data(), g.data() + g.size()); });
  ranks.sum(std::span(together));
  const Scalar* from = together.data();
  for_each_gradient(groups, [&](auto g) {
    std::copy(from, from + g.size(), g.data());
    from += g.size();
  });
}

} // namespace dalib::nn
