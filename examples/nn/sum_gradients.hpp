#pragma once
#include "gradient_buckets.hpp"

namespace dalib::nn {

/// Calls f(gradient as an Eigen array) for every parameter of the groups that has one.
template <class Scalar, class F>
void for_each_gradient(const std::vector<parameter_group<Scalar>>& groups, const F& f) {
  for (const auto& group : groups)
    for (const auto& p : group.parameters)
      if (p.has_gradient()) f(ad::elements(p.handle()->gradient, 0, p.handle()->gradient.size()));
}

/// Makes the gradients of all parameters the sum over the ranks, added in the ranks' order, where they are not yet. Nothing where the
/// program trains alone.
template <class Scalar>
void sum_gradients(const std::vector<parameter_group<Scalar>>& groups) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone()) return;
  gradient_buckets<Scalar> buckets(ranks);
  buckets.include(groups);
  buckets.finish();
}

/// ad::backward(loss), during which gradients of these groups' parameters are summed over the ranks: for a pass that the optimisers' steps
/// follow. Further passes would add to sums, which is an error.
template <class Scalar, class... Groups>
void backward_over_ranks(const ad::variable<Scalar>& loss, const Groups&... groups) {
  const auto& ranks = distributed::ranks::all();
  if (ranks.alone() || ranks.gradient_bucket == 0) {
    ad::backward(loss);
    return;
  }
  gradient_buckets<Scalar> buckets(ranks);
  (buckets.include(groups), ...);
  ad::backward(loss, Scalar(1), buckets);
  buckets.finish();
}

} // namespace dalib::nn
