#pragma once
#include <span>
#include <vector>

#include "clipping.hpp"

namespace dalib::nn {

/// Makes the gradients of all parameters the sum over the ranks, added in the ranks' order. Nothing where the program trains alone.
template <class Scalar>
void sum_gradients(const std::vector<parameter_group<Scalar>>& groups) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone()) return;
  std::vector<Scalar> together;
  for_each_gradient(groups, [&](const auto& g) { together.insert(together.end(), g.data(), g.data() + g.size()); });
  ranks.sum(std::span(together));
  const Scalar* from = together.data();
  for_each_gradient(groups, [&](auto g) {
    std::copy(from, from + g.size(), g.data());
    from += g.size();
  });
}

} // namespace dalib::nn
