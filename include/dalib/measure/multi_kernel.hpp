/// @file
/// MK-MMD whose kernel weights are found on the batch itself.
#pragma once

#include "dalib/kernel/terms.hpp"
#include "dalib/measure/mmd.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

namespace dalib {

/// Kernel weights: the selection rule's own scale, and the same scaled to what the loss uses.
struct kernel_weights {
  std::vector<double> raw;
  std::vector<double> normalised;
};

/// A rule that turns the MMD of each kernel of a sum into weights for them.
template <class R>
concept weight_rule = requires(const R& rule, const std::vector<double>& values) {
  { rule.weights(values) } -> std::same_as<kernel_weights>;
};

namespace compat {

/// DALIB's quadratic program for the kernel weights: min |beta|^2 subject to v . beta = 1, beta >= 0, solved exactly: beta = v+ / |v+|^2
/// where v+ = max(v, 0). It has the identity in place of the covariance of the paper (Gretton et al. 2012b, eq. 11). If no v is positive
/// DALIB switches to a concave program, which its solver rejects; here its exact global minimiser is taken: all weight on the kernel with
/// the smallest |v|. As in DALIB the loss uses beta scaled to sum K, the number of kernels.
struct quadratic_program {
  kernel_weights weights(const std::vector<double>& values) const {
    kernel_weights result{std::vector<double>(values.size(), 0.0), {}};
    double norm = 0;
    for (double v : values) norm += v > 0 ? v * v : 0;
    if (norm > 0) {
      for (std::size_t k = 0; k < values.size(); ++k) result.raw[k] = std::max(values[k], 0.0) / norm;
    } else {
      const auto smallest = std::max_element(values.begin(), values.end()); // all are <= 0
      const auto k = static_cast<std::size_t>(smallest - values.begin());
      result.raw[k] = values[k] < 0 ? -1 / values[k] : 1;
    }
    const double total = std::accumulate(result.raw.begin(), result.raw.end(), 0.0);
    result.normalised = result.raw;
    for (double& w : result.normalised) w *= static_cast<double>(values.size()) / total;
    return result;
  }
};

} // namespace compat

/// MK-MMD, sum_k beta_k mmd_k^2, with weights beta that `Rule` finds from the batch's mmd_k^2 (DAN, Long et al. 2015,
/// section 3.2). beta is detached. Every kernel of the sum is estimated alone first (values only), so a call costs 1 + terms / 3 times the
/// plain mmd. In DALIB's estimators the constant 2 / (n - 1) belongs to each mmd_k^2, as it does there. Errors as for mmd.
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
struct weighted_mmd {
  static constexpr const char* name = "weighted_mmd";
  Kernel kernel{};
  Estimator estimator{};
  Rule rule{};

  /// mmd_k^2 of every kernel alone, in the order of kernel::for_each_term.
  template <class Exec, class ZS, class ZT>
  std::vector<double> term_values(const Exec& exec, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    require_execution<Exec, typename types::memory>();
    workspace_of<typename types::memory> scratch;
    const auto source = sample_of(zs), target = sample_of(zt);
    require_two_samples(name, source.rows, target.rows);
    const matrix_view<typename types::value_type, typename types::memory> unwanted;
    return terms_of(exec, problem_of(exec, source, target, gradients{unwanted, unwanted}, scratch), scratch);
  }

  template <class ZS, class ZT>
  auto operator()(const ZS& zs, const ZT& zt) const {
    return (*this)(exec::default_for<sample_memory<ZS>>{}, zs, zt);
  }
  template <class Exec, class ZS, class ZT>
  auto operator()(const Exec& exec, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    require_execution<Exec, typename types::memory>();
    workspace_of<typename types::memory> scratch;
    const matrix_view<typename types::value_type, typename types::memory> unwanted;
    return run<false>(exec, sample_of(zs), sample_of(zt), gradients{unwanted, unwanted}, scratch);
  }
  template <class ZS, class ZT, class T, class Memory>
  T value_and_gradient(const ZS& zs, const ZT& zt, const gradients<T, Memory>& out) const {
    return value_and_gradient(exec::default_for<Memory>{}, zs, zt, out);
  }
  template <class Exec, class ZS, class ZT, class T, class Memory>
  T value_and_gradient(const Exec& exec, const ZS& zs, const ZT& zt, const gradients<T, Memory>& out) const {
    using types = two_sample_gradient_types<ZS, ZT, T, Memory>;
    require_execution<Exec, typename types::memory>();
    workspace_of<Memory> scratch;
    return run<true, Exec, typename types::value_type, typename types::memory>(exec, sample_of(zs), sample_of(zt), out, scratch);
  }

private:
  template <class Exec, class T, class Memory>
  auto problem_of(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
                  workspace_of<Memory>& scratch) const {
    return engine::bound_problem<T, Memory, Kernel>(
        exec, scratch, engine::layer_input<T, Kernel, Memory>{{source, target}, kernel, out.source, out.target});
  }

  template <class Exec, class Problem, class Workspace>
  std::vector<double> terms_of(const Exec& exec, const Problem& problem, Workspace& scratch) const {
    using layer_type = std::tuple_element_t<0, typename Problem::layers_tuple>;
    using T = typename layer_type::value_type;
    using Memory = typename layer_type::memory;
    const layer_type& one = std::get<0>(problem.layers());
    std::vector<double> values;
    kernel::for_each_term(one.profile, [&](const auto& term) {
      const workspace_mark mark(scratch);
      using term_layer = engine::layer<T, std::remove_cvref_t<decltype(term)>, Memory>;
      const std::tuple layers{term_layer{one.data, one.summary, term, matrix_view<T, Memory>{}, matrix_view<T, Memory>{}}};
      values.push_back(engine::estimate_bound<false, accumulator::plain>(exec, estimator, layers, engine::estimate_rule<T>{name}, scratch));
    });
    return values;
  }

  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const gradients<T, Memory>& out,
        workspace_of<Memory>& scratch) const {
    require_two_samples(name, source.rows, target.rows);
    require_gradients(name, source, target, out);
    const auto problem = problem_of(exec, source, target, out, scratch);
    const auto& one = std::get<0>(problem.layers());
    const std::vector<double> values = terms_of(exec, problem, scratch);
    const std::vector<double> beta = rule.weights(values).normalised;
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
