/// @file
/// Every concept of the library on one page: what a type must offer to take part.
#pragma once

#include "dalib/core/matrix_traits.hpp"     // matrix_like: matrix_traits<M>::view
#include "dalib/core/sample.hpp"            // sample_like: a matrix_like, or weighted(rows, weights)
#include "dalib/estimator/estimators.hpp"   // estimator_policy: coefficients(sizes), plan(sizes), block_rows(sizes) or parts()
#include "dalib/kernel/bandwidths.hpp"      // bandwidth_policy: squared_scale(data) -> double
#include "dalib/kernel/bind.hpp"            // kernel_like: names its statistic(s)
#include "dalib/reduction/accumulators.hpp" // accumulator_policy: state, add, merge, result

#include <concepts>

namespace dalib {

/// A pair statistic that is a function of the inner product of two rows and of per-row terms.
template <class S>
concept gram_statistic = requires(float v, row_terms<float> terms) {
  requires S::from_gram;
  { S::translation_invariant } -> std::convertible_to<bool>;
  { S::value(v, terms, terms) } -> std::same_as<float>;
  { S::pull(v, v, terms, terms) } -> std::same_as<pair_pull<float>>;
};

/// A pair statistic that adds up over the features, s = sum_f phi(x_f, y_f): `term` is phi, symmetric and 0 at (0, 0), `slope` its
/// derivative with respect to x_f; both take numbers and packs.
template <class S>
concept additive_statistic = requires(float v, pack<float> p) {
  requires !S::from_gram;
  { S::translation_invariant } -> std::convertible_to<bool>;
  { S::term(v, v) } -> std::same_as<float>;
  { S::slope(v, v) } -> std::same_as<float>;
  { S::term(p, p) } -> std::same_as<pack<float>>;
  { S::slope(p, p) } -> std::same_as<pack<float>>;
};

/// A pair statistic.
template <class S>
concept pair_statistic = gram_statistic<S> || additive_statistic<S>;

/// A bound kernel of one statistic: from the statistic to value and slope, for any T with arithmetic (a scalar, a pack, an AD scalar).
///
/// @code{.cpp}
/// struct inverse_square {
///   using statistic = squared_distance;
///   template <class T>
///   DALIB_HD jet<T> operator()(T s) const {
///     const T u = T(1) / (T(1) + s);
///     return {u * u, T(-2) * u * u * u};
///   }
/// };
/// static_assert(kernel_policy<inverse_square> && pair_statistic<inverse_square::statistic> && gram_statistic<squared_distance>);
/// static_assert(additive_statistic<l1_distance> && !gram_statistic<l1_distance>);
/// static_assert(execution_policy<exec::serial> && !device_execution_policy<exec::serial>);
/// const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(16, 4), zt = Eigen::MatrixXf::Random(12, 4);
/// assert(mmd(inverse_square{}, estimator::biased{})(zs, zt) > 0);
/// @endcode
template <class K>
concept kernel_policy = requires(const K& k) {
  requires pair_statistic<typename K::statistic>;
  { k(1.0f) } -> std::same_as<jet<float>>;
  { k(1.0) } -> std::same_as<jet<double>>;
  { k(pack<float>(1)) } -> std::same_as<jet<pack<float>>>;
};

namespace detail {
// Named types: nvcc does not take lambdas in requirements.
struct any_task {
  void operator()(index_t, int) const {}
};
struct any_device_task {
  DALIB_HD void operator()(index_t) const {}
};
} // namespace detail

/// Who runs tasks: run(count, task) calls task(i, worker) once for each i < count and returns when all are done; worker < workers().
template <class E>
concept execution_policy = requires(const E& e) {
  typename E::memory;
  { e.workers() } -> std::convertible_to<int>;
  e.run(index_t{1}, detail::any_task{});
};

/// Who runs tasks on a device: run(count, task) calls task(i) once for each i < count, in order after what was run before.
template <class E>
concept device_execution_policy = std::same_as<typename E::memory, device_memory> && requires(const E& e) {
  e.run(index_t{1}, detail::any_device_task{});
};

namespace detail {
template <class Memory>
struct machine_check; // engine/backend.hpp
}

/// What a measure asks of its execution policy for tensors in `Memory`, and of the machine there; one sentence for each that is missing.
template <class Exec, class Memory>
constexpr void require_execution() {
  static_assert(execution_policy<Exec> || device_execution_policy<Exec>,
                "dalib: the first argument must be an execution policy, such as dalib::exec::serial");
  if constexpr (requires { typename Exec::memory; })
    static_assert(std::same_as<typename Exec::memory, Memory>,
                  "dalib: this execution policy does not work on the memory that the tensors are in: host tensors need exec::serial or "
                  "exec::openmp, device tensors exec::thrust");
  static_assert(detail::machine_check<Memory>::done);
}

} // namespace dalib
