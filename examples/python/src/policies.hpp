/// @file
/// Bandwidth rules, estimators and conditionings that are chosen at run time: one compiled type for each kind of engine, and the library's
/// own policies behind it.
#pragma once

#include "dalib/compat/estimators.hpp"
#include "dalib/estimator/incomplete.hpp"
#include "dalib/kernel/bandwidths.hpp"
#include "dalib/measure/maps/entropy_conditioning.hpp"

#include <cstdint>
#include <stdexcept>

namespace dalib_python {

using dalib::index_t;

/// Any bandwidth rule.
struct any_bandwidth {
  enum kind_type { fixed, mean, median, running_mean, running_median };
  kind_type kind = mean;
  double number = 1; ///< sigma of `fixed`, alpha of the others
  double momentum = 0.1;
  dalib::bandwidth::running_state* state = nullptr;

  template <class Data>
  double squared_scale(const Data& data) const {
    namespace rule = dalib::bandwidth;
    switch (kind) {
    case fixed:
      return rule::fixed{number}.squared_scale(data);
    case median:
      return rule::median{number}.squared_scale(data);
    case running_mean:
      return rule::running_average<rule::mean>{state, momentum, number}.squared_scale(data);
    case running_median:
      return rule::running_average<rule::median>{state, momentum, number}.squared_scale(data);
    default:
      return rule::mean{number}.squared_scale(data);
    }
  }
};

/// Which estimator; `rows` of blocks, whose inner one is `kind`.
struct estimator_choice {
  enum kind_type { biased, unbiased, nonlinear, linear_time, ring, incomplete };
  kind_type kind = unbiased;
  index_t block_rows = 0; ///< 0: no blocks; of `incomplete` the number of pairs
  std::uint64_t seed = 0; ///< of `incomplete`
};

/// An estimator of all pairs.
struct any_full_pair {
  estimator_choice::kind_type kind = estimator_choice::unbiased;

  dalib::pair_coefficients coefficients(const dalib::sample_sizes& n) const {
    switch (kind) {
    case estimator_choice::biased:
      return dalib::estimator::biased{}.coefficients(n);
    case estimator_choice::nonlinear:
      return dalib::compat::nonlinear{}.coefficients(n);
    default:
      return dalib::estimator::unbiased{}.coefficients(n);
    }
  }
};

/// An estimator of quadruples.
struct any_quadruples {
  estimator_choice::kind_type kind = estimator_choice::linear_time;

  dalib::quadruple_plan plan(const dalib::sample_sizes& n) const {
    if (kind == estimator_choice::ring) return dalib::compat::ring{}.plan(n);
    return dalib::estimator::linear_time{}.plan(n);
  }
};

/// Calls f(estimator) with the type that the choice needs. Drawn pairs are compiled for some kernels only.
template <bool Drawn = false, class F>
double with_estimator(const estimator_choice& choice, const F& f) {
  if (choice.kind == estimator_choice::incomplete) {
    if constexpr (Drawn)
      return f(dalib::estimator::incomplete{choice.block_rows, choice.seed});
    else
      throw std::invalid_argument("estimator.incomplete is compiled into this package for mmd with kernels of the squared distance alone");
  }
  if (choice.block_rows != 0) return f(dalib::estimator::block<any_full_pair>{choice.block_rows, {choice.kind}});
  if (choice.kind == estimator_choice::linear_time || choice.kind == estimator_choice::ring) return f(any_quadruples{choice.kind});
  return f(any_full_pair{choice.kind});
}

/// Any of CDAN's weights.
struct any_conditioning {
  enum kind_type { none, joint_entropy, per_domain_entropy };
  kind_type kind = none;
  bool reverse = false;
  double offset = 0;

  template <class T>
  DALIB_HD T raw_weight(T entropy, T& slope) const {
    if (kind == none) return dalib::conditioning::none{}.raw_weight(entropy, slope);
    return dalib::conditioning::joint_entropy{}.raw_weight(entropy, slope);
  }
  dalib::domain_factors normalise(const dalib::domain_weights& w) const {
    if (kind == none) return dalib::conditioning::none{}.normalise(w);
    if (kind == joint_entropy) return dalib::conditioning::joint_entropy{}.normalise(w);
    return dalib::conditioning::per_domain_entropy{}.normalise(w);
  }
  bool reverses_entropy() const { return kind == per_domain_entropy && reverse; }
};

} // namespace dalib_python
