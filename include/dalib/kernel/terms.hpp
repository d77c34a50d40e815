/// @file
/// A sum of kernels seen as its terms: what kernel-weight selection needs.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/gaussian.hpp"

#include <cmath>
#include <span>
#include <string>
#include <type_traits>

namespace dalib::kernel {

/// Calls visit(term) for each term of a bound kernel, left to right. A ladder has one term for each Gaussian, narrowest first; a kernel
/// that is no sum is its own only term.
template <class K, class Visit>
void for_each_term(const K& k, Visit&& visit) {
  visit(k);
}
template <class Visit>
void for_each_term(const gaussian_ladder_profile& k, Visit&& visit) {
  for (int i = 0; i < k.count; ++i) visit(k.term(i));
}
template <class A, class B, class Visit>
void for_each_term(const sum_of<A, B>& k, Visit&& visit) {
  for_each_term(k.a, visit);
  for_each_term(k.b, visit);
}

/// Number of terms of a bound kernel.
template <class K>
int term_count(const K& k) {
  int count = 0;
  for_each_term(k, [&](const auto&) { ++count; });
  return count;
}

/// Most terms that a bound kernel of this type has.
template <class K>
inline constexpr int most_terms = 1;
template <>
inline constexpr int most_terms<gaussian_ladder_profile> = gaussian_ladder_profile::capacity;
template <class A, class B>
inline constexpr int most_terms<sum_of<A, B>> = most_terms<A> + most_terms<B>;

template <class K>
inline constexpr bool is_sum = false;
template <class A, class B>
inline constexpr bool is_sum<sum_of<A, B>> = true;
/// Whether a kernel is a list of terms of one type, `terms[0]` .. `terms[count - 1]`; see family.hpp.
template <class K>
inline constexpr bool is_family = false;

/// Calls use(k, value) with the value of every term of a bound kernel for these statistics, k counting from `first` on in the order of
/// for_each_term, and returns the number after the last. A ladder has one exponential for all its terms.
template <class List, class K, class T, class Use>
DALIB_HD int each_term_value(const K& k, const T (&statistics)[List::size], int first, const Use& use) {
  if constexpr (is_sum<K>) {
    return each_term_value<List>(k.b, statistics, each_term_value<List>(k.a, statistics, first, use), use);
  } else if constexpr (is_family<K>) {
    for (int i = 0; i < k.count; ++i) first = each_term_value<List>(k.terms[i], statistics, first, use);
    return first;
  } else if constexpr (std::is_same_v<K, gaussian_ladder_profile>) {
    using std::exp;
    T power = exp(T(-k.rate) * statistics[position_of<List, squared_distance>]);
    for (int i = k.count - 1; i >= 0; --i) {
      use(first + i, power);
      power = power * power;
    }
    return first + k.count;
  } else {
    use(first, dalib::evaluate<List>(k, statistics).value);
    return first + 1;
  }
}

namespace detail {
template <class K>
scaled<K> reweighted(const K& k, const double*& weight) {
  return {k, *weight++};
}
inline gaussian_ladder_profile reweighted(gaussian_ladder_profile k, const double*& weight) {
  for (int i = 0; i < k.count; ++i) {
    const double before = k.uniform ? 1 : k.weights[i];
    k.weights[i] = before * *weight++;
  }
  k.uniform = false;
  return k;
}
template <class A, class B>
auto reweighted(const sum_of<A, B>& k, const double*& weight) {
  auto a = reweighted(k.a, weight);
  auto b = reweighted(k.b, weight);
  return sum_of<decltype(a), decltype(b)>{a, b};
}
} // namespace detail

/// The same sum with its terms multiplied by `weights`, in the order of for_each_term.
/// @throws std::invalid_argument unless there is one weight per term.
template <class K>
auto with_weights(const K& k, std::span<const double> weights) {
  if (static_cast<int>(weights.size()) != term_count(k))
    fail("kernel::with_weights",
         "needs one weight per term (got " + std::to_string(weights.size()) + " for " + std::to_string(term_count(k)) + ")");
  const double* next = weights.data();
  return detail::reweighted(k, next);
}

/// A sum of kernels whose terms are multiplied by weights given at run time; at most `capacity` terms. Written `weighted_terms{kernel,
/// weights}`.
///
/// @code{.cpp}
/// const std::vector<double> weights = {1, 0, 0.5};
/// const kernel::weighted_terms k{kernel::gaussian_ladder(0.5, 3), weights};
/// const auto sum = kernel::gaussian{bandwidth::mean{0.5}} + 0.5 * kernel::gaussian{bandwidth::mean{2}};
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(std::abs(mmd(k)(zs, zt) - mmd(sum)(zs, zt)) < 1e-14);
/// @endcode
template <class K>
struct weighted_terms {
  static constexpr int capacity = 16;
  using statistics = statistics_of<K>;
  K kernel;
  int count = 0;
  double weights[capacity] = {};

  weighted_terms(K sum, std::span<const double> values) : kernel(sum), count(static_cast<int>(values.size())) {
    if (values.size() > capacity) fail("kernel::weighted_terms", "takes at most 16 weights");
    for (int i = 0; i < count; ++i) weights[i] = values[static_cast<std::size_t>(i)];
  }

  template <class Data>
  auto bind(const Data& data) const {
    return with_weights(dalib::bind(kernel, data), std::span<const double>(weights, static_cast<std::size_t>(count)));
  }
};

} // namespace dalib::kernel
