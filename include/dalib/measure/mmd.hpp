/// @file
/// The squared maximum mean discrepancy with any kernel and any estimator (MK-MMD).
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/gradients.hpp"
#include "dalib/engine/estimate.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/reduction/accumulators.hpp"

#include <type_traits>

namespace dalib {

/// Squared MMD between a source and a target sample (Gretton et al. 2012, eq. 3-5; MK-MMD of DAN, Long et al. 2015, eq. 2):
///
///     mmd^2 = E k(s, s') + E k(t, t') - 2 E k(s, t)
///
/// with `kernel` any kernel or sum of kernels and `estimator` saying how the expectations are estimated.
/// zs is (n_s, F), zt is (n_t, F), float or double, any strides; n_s and n_t may differ. Bandwidths are resolved once per call and
/// detached. Full-pair estimators cost O((n_s + n_t)^2 F) time; their memory is O((n_s + n_t) F) and two tiles a thread,
/// up to 256 rows in all three matrices of that size. The others cost O((n_s + n_t) F) time. The
/// value and the gradients have the same bits for any number of threads.
///
/// @throws std::invalid_argument for empty domains, different feature counts, gradients of the wrong shape, too few samples for the
///         estimator or an invalid bandwidth, and for a kernel of your own without `with_unit` where squared distances of float rows are
///         not within 2^-64 .. 2^64; nothing has been written then. NaN and infinite data are not looked for: see `checked`.
///
/// @code{.cpp}
/// const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(64, 16), zt = Eigen::MatrixXf::Random(48, 16).array() + 0.2f;
/// const mmd loss{kernel::gaussian_ladder(0.125, 5), estimator::unbiased{}};
/// const float value = loss(zs, zt);
/// Eigen::MatrixXf gs(64, 16), gt(48, 16);
/// workspace scratch;
/// const float same = loss.value_and_gradient(exec::default_policy{}, zs, zt, gradients{gs, gt}, scratch);
/// assert(same == value && value > 0);
/// assert((gs.colwise().sum() + gt.colwise().sum()).norm() < 1e-5f); // moving both samples changes nothing
/// @endcode
template <class Kernel = kernel::gaussian_ladder<>, class Estimator = estimator::unbiased, class Accumulator = accumulator::plain>
struct mmd : call_forms<mmd<Kernel, Estimator, Accumulator>> {
  static_assert(kernel_like<Kernel>,
                "dalib: the first argument of mmd must be a kernel: a type with `using statistic = ...` and operator()(T) -> jet<T>");
  static_assert(estimator_policy<Estimator>, "dalib: the second argument of mmd must be an estimator, such as dalib::estimator::unbiased");
  static_assert(accumulator_policy<Accumulator>,
                "dalib: the third argument of mmd must be an accumulator, such as dalib::accumulator::plain");
  static constexpr const char* name = "mmd";
  static constexpr std::size_t arity = 2;

  Kernel kernel{};
  Estimator estimator{};

  mmd() = default;
  explicit mmd(Kernel k, Estimator e = {}, Accumulator = {}) : kernel(k), estimator(e) {}

  /// The operation that every form of call comes down to: value, and gradients if they are wanted, in one pass.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, typename types::memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call.execution, sample_of(zs), sample_of(zt), out, call.scratch);
  }

private:
  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
        workspace_of<Memory>& scratch) const {
    require_two_samples(name, source.rows, target.rows);
    require_gradients(name, source, target, out);
    const workspace_scope scope(scratch);
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, Kernel, Memory>{{source, target}, kernel, out.source, out.target});
    const engine::estimate_rule<T> rule{name, out.scale, out.mode};
    return static_cast<T>(engine::estimate_bound<Gradient, Accumulator>(exec, estimator, problem.layers(), rule, scratch));
  }
};

} // namespace dalib
