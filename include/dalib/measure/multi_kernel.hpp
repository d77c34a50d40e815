/// @file
/// MK-MMD whose kernel weights are found on the batch itself.
#pragma once

#include "dalib/engine/term_values.hpp"
#include "dalib/kernel/terms.hpp"
#include "dalib/measure/mmd.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

namespace dalib {

/// Kernel weights: the selection rule's own scale, and the same scaled to what the loss uses.
struct kernel_weights {
  std::vector<double> raw;
  std::vector<double> normalised;
};

/// A rule that turns the MMD of each kernel of a sum into weights for them. One that also has `normalised(std::span<const double> values,
/// std::span<double> to)` is asked for the loss's weights by that, and allocates nothing.
template <class R>
concept weight_rule = requires(const R& rule, const std::vector<double>& values) {
  { rule.weights(values) } -> std::same_as<kernel_weights>;
};

/// MK-MMD, sum_k beta_k mmd_k^2, with weights beta that `Rule` finds from the batch's mmd_k^2 (DAN, Long et al. 2015,
/// section 3.2). beta is detached. Every kernel of the sum is estimated alone first, values only, all in one pass where the estimator takes
/// all pairs and the kernels are of distances: then a call costs at most 1.5 times the plain mmd, otherwise 1 + terms / 3 times. In DALIB's
/// estimators the constant 2 / (n - 1) belongs to each mmd_k^2, as it does there. Errors as for mmd.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(16, 4).array() + 0.5;
/// const weighted_mmd loss{kernel::gaussian_ladder(0.5, 3), compat::nonlinear{}, compat::quadratic_program{}};
/// const std::vector<double> values = loss.term_values(exec::default_policy{}, zs, zt);
/// const kernel_weights beta = compat::quadratic_program{}.weights(values);
/// const double total = beta.normalised[0] * values[0] + beta.normalised[1] * values[1] + beta.normalised[2] * values[2];
/// assert(std::abs(loss(zs, zt) - total) < 1e-13);
/// assert(std::abs(beta.normalised[0] + beta.normalised[1] + beta.normalised[2] - 3) < 1e-13);
/// static_assert(weight_rule<compat::quadratic_program>);
/// @endcode
template <class Kernel, class Estimator, weight_rule Rule>
struct weighted_mmd : call_forms<weighted_mmd<Kernel, Estimator, Rule>> {
  static constexpr const char* name = "weighted_mmd";
  static constexpr std::size_t arity = 2;
  Kernel kernel{};
  Estimator estimator{};
  Rule rule{};

  weighted_mmd() = default;
  explicit weighted_mmd(Kernel k, Estimator e = {}, Rule r = {}) : kernel(k), estimator(e), rule(r) {}

  /// mmd_k^2 of every kernel alone, in the order of kernel::for_each_term.
  template <class Exec, class ZS, class ZT>
  std::vector<double> term_values(const Exec& exec, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    require_execution<Exec, typename types::memory>();
    workspace_of<typename types::memory> scratch;
    const auto source = sample_of(zs), target = sample_of(zt);
    require_two_samples(name, source.rows, target.rows);
    const matrix_view<typename types::value_type, typename types::memory> unwanted;
    const auto problem = problem_of(exec, source, target, gradients{unwanted, unwanted}, scratch);
    std::vector<double> values(terms_in(problem));
    engine::term_values(exec, estimator, std::get<0>(problem.layers()), name, values, scratch);
    return values;
  }

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    require_execution<typename Call::execution_type, typename types::memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, typename types::memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call.execution, sample_of(zs), sample_of(zt), out, call.scratch);
  }

private:
  template <class Exec, class T, class Memory>
  auto problem_of(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
                  workspace_of<Memory>& scratch) const {
    return engine::bound_problem<T, Memory, Kernel>(
        exec, scratch, engine::layer_input<T, Kernel, Memory>{{source, target}, kernel, out.source, out.target});
  }

  template <class Problem>
  static std::size_t terms_in(const Problem& problem) {
    std::size_t count = 0;
    kernel::for_each_term(std::get<0>(problem.layers()).profile, [&](const auto&) { ++count; });
    return count;
  }

  /// Numbers for the host: from its scratch memory, or, where that is another machine's, of their own.
  template <class Memory>
  static std::span<double> numbers(workspace_of<Memory>& scratch, std::vector<double>& own, std::size_t count) {
    if constexpr (std::is_same_v<Memory, host_memory>) return {scratch.template allocate<double>(static_cast<index_t>(count)), count};
    own.resize(count);
    return own;
  }

  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
        workspace_of<Memory>& scratch) const {
    require_two_samples(name, source.rows, target.rows);
    require_gradients(name, source, target, out);
    const workspace_scope scope(scratch);
    const auto problem = problem_of(exec, source, target, out, scratch);
    const auto& one = std::get<0>(problem.layers());
    std::vector<double> own_values, own_beta;
    const std::span<double> values = numbers<Memory>(scratch, own_values, terms_in(problem));
    engine::term_values(exec, estimator, one, name, values, scratch);
    const std::span<double> beta = numbers<Memory>(scratch, own_beta, values.size());
    if constexpr (requires { rule.normalised(values, beta); })
      rule.normalised(values, beta);
    else
      std::ranges::copy(rule.weights({values.begin(), values.end()}).normalised, beta.begin());
    if constexpr (Gradient) {
      const auto profile = kernel::with_weights(one.profile, beta);
      using weighted_layer = engine::layer<T, std::remove_const_t<decltype(profile)>, Memory>;
      const std::tuple layers{weighted_layer{one.data, one.summary, profile, out.source, out.target}};
      engine::estimate_bound<true, accumulator::plain>(exec, estimator, layers, engine::estimate_rule<T>{name, out.scale, out.mode},
                                                       scratch);
    }
    return static_cast<T>(std::inner_product(beta.begin(), beta.end(), values.begin(), 0.0));
  }
};

template <class Kernel, class Estimator, class Rule>
weighted_mmd(Kernel, Estimator, Rule) -> weighted_mmd<Kernel, Estimator, Rule>;

} // namespace dalib
