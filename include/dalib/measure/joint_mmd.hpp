/// @file
/// The joint maximum mean discrepancy of several layers (JMMD).
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/graph_value.hpp"
#include "dalib/core/layers.hpp"
#include "dalib/engine/term_values.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/reduction/accumulators.hpp"

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib {

/// One kernel (or sum of kernels) for each layer, in the layers' order.
template <class... Kernels>
std::tuple<Kernels...> layer_kernels(Kernels... kernels) {
  static_assert((kernel_like<Kernels> && ...),
                "dalib: layer_kernels takes kernels: types with `using statistic = ...` and operator()(T) -> jet<T>");
  return std::tuple<Kernels...>(kernels...);
}

/// The kernels of DALIB's JAN: five Gaussians, 2^-3 to 2^1 times the mean squared distance, for the features; one of sigma 0.92 for the
/// softmax outputs.
inline std::tuple<kernel::gaussian_ladder<>, kernel::gaussian<bandwidth::fixed>> jan_kernels() {
  return {kernel::gaussian_ladder<>(0.125, 5), kernel::gaussian{bandwidth::fixed{0.92}}};
}

/// Squared joint MMD of the activations of several layers (JAN, Long et al. 2017, eq. 5 and 9):
///
///     jmmd^2 = E prod_l k_l(s_l, s'_l) + E prod_l k_l(t_l, t'_l) - 2 E prod_l k_l(s_l, t_l)
///
/// `loss(layers(fs, gs), layers(ft, gt))`, layer l of the source being (n_s, F_l), of the target (n_t, F_l); float or double, any strides,
/// n_s and n_t may differ. Each layer has its own kernel or sum of kernels; their bandwidths are resolved on that layer's data, once per
/// call, and detached. `estimator` says how the expectations are estimated, as for `mmd`. All layers are done in one pass: O((n_s + n_t)^2
/// sum F_l) for full-pair estimators, O((n_s + n_t) sum F_l) for the others. The same bits for any number of threads.
///
/// Sample weights are those of the samples, so all layers of a domain have the same: `weighted(layers(fs, gs), w)`.
/// @throws std::invalid_argument for empty domains, shapes of a layer or numbers of rows of the layers that do not fit, different weights,
///         gradients of the wrong shape, too few samples for the estimator or an invalid bandwidth; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(16, 8), f_t = Eigen::MatrixXd::Random(12, 8); // features
/// const Eigen::MatrixXd p_s = Eigen::MatrixXd::Random(16, 3), p_t = Eigen::MatrixXd::Random(12, 3); // predictions
/// const joint_mmd jan{jan_kernels(), estimator::biased{}};
/// const auto [value, g_s, g_t] = value_and_gradient(jan, layers(f_s, p_s), layers(f_t, p_t));
/// assert(value > 0 && value == jan(layers(f_s, p_s), layers(f_t, p_t)) && std::get<1>(g_t).rows() == 12);
/// const joint_mmd one_layer{layer_kernels(kernel::gaussian{}), estimator::unbiased{}};
/// assert(one_layer(layers(f_s), layers(f_t)) == mmd(kernel::gaussian{})(f_s, f_t));
/// const std::array<double, 2> alone = jan.layer_values(exec::default_policy{}, layers(f_s, p_s), layers(f_t, p_t));
/// assert(std::abs(alone[0] - mmd(kernel::gaussian_ladder<>(0.125, 5), estimator::biased{})(f_s, f_t)) < 1e-14);
/// @endcode
template <class Kernels = decltype(jan_kernels()), class Estimator = estimator::unbiased, class Accumulator = accumulator::plain>
struct joint_mmd : call_forms<joint_mmd<Kernels, Estimator, Accumulator>> {
private:
  template <class... Z>
  using memory_of_layers = typename detail::layered_value<std::tuple<Z...>>::memory;

public:
  static_assert(estimator_policy<Estimator>,
                "dalib: the second argument of joint_mmd must be an estimator, such as dalib::estimator::unbiased");
  static_assert(accumulator_policy<Accumulator>,
                "dalib: the third argument of joint_mmd must be an accumulator, such as dalib::accumulator::plain");
  static constexpr const char* name = "joint_mmd";
  static constexpr std::size_t arity = 2; // two domains
  static constexpr std::size_t layer_count = std::tuple_size_v<Kernels>;

  Kernels kernels;
  Estimator estimator{};

  joint_mmd() requires std::is_same_v<Kernels, decltype(jan_kernels())> : kernels(jan_kernels()) {}
  explicit joint_mmd(Kernels layer_kernels, Estimator e = {}, Accumulator = {}) : kernels(layer_kernels), estimator(e) {}

  /// The operation that every form of call comes down to: value, and gradients of all layers of both domains, in one pass.
  template <class Call, sample_like... ZS, sample_like... ZT>
  auto evaluate(const Call& call, const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt) const {
    using T = typename detail::layered_value<std::tuple<ZS...>>::type;
    using Memory = memory_of_layers<ZS...>;
    require_execution<typename Call::execution_type, Memory>();
    const layer_gradients<T, layer_count, Memory> out = call.template output<0>(layer_gradients<T, layer_count, Memory>{});
    return run<Call::wants_gradient>(call.execution, samples_of<T, Memory>(zs), samples_of<T, Memory>(zt), out, call.scratch);
  }

  /// The squared MMD of each layer by its kernel alone: which layer still tells the domains apart. For estimators of all pairs and kernels
  /// of statistics that no shift changes in one pass, at the cost of the joint value; else one pass for each layer.
  template <class Exec, sample_like... ZS, sample_like... ZT>
  std::array<double, layer_count> layer_values(const Exec& exec, const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt) const {
    using T = typename detail::layered_value<std::tuple<ZS...>>::type;
    using Memory = memory_of_layers<ZS...>;
    require_execution<Exec, Memory>();
    const samples<T, Memory> source = samples_of<T, Memory>(zs), target = samples_of<T, Memory>(zt);
    const layer_gradients<T, layer_count, Memory> unwanted{};
    require_valid(source, target, unwanted);
    workspace_of<Memory> scratch;
    std::array<double, layer_count> values{};
    with_problem(exec, std::make_index_sequence<layer_count>{}, domains<T, Memory>{source, target, unwanted}, scratch,
                 [&](const auto& layers) { engine::layer_values(exec, estimator, layers, name, values, scratch); });
    return values;
  }

  /// On a tape: one node with the gradients of all layers.
  template <class... VS, class... VT>
  requires((graph_value<std::remove_cvref_t<VS>> && ...) &&
           (graph_value<std::remove_cvref_t<VT>> && ...)) auto record(const std::tuple<VS...>& zs, const std::tuple<VT...>& zt) const {
    require_layer_count<sizeof...(VS), sizeof...(VT)>();
    using V = std::remove_cvref_t<std::tuple_element_t<0, std::tuple<VS...>>>;
    const std::array<V, 2 * layer_count> inputs =
        std::apply([](const auto&... input) { return std::array<V, 2 * layer_count>{input...}; }, std::tuple_cat(zs, zt));
    return graph_traits<V>::record(inputs, [&](const auto& value, const auto& gradient, const auto&... execution) {
      using T = scalar_of_views<decltype(gradient)>;
      using Memory = memory_of_views<decltype(gradient)>;
      samples<T, Memory> source, target;
      layer_gradients<T, layer_count, Memory> out;
      for (std::size_t l = 0; l < layer_count; ++l) {
        source[l].rows = value[l];
        target[l].rows = value[layer_count + l];
        out.source[l] = gradient[l];
        out.target[l] = gradient[layer_count + l];
      }
      workspace_of<Memory> scratch;
      if constexpr (sizeof...(execution) > 0)
        return run<true>(execution..., source, target, out, scratch);
      else
        return run<true>(exec::default_for<Memory>{}, source, target, out, scratch);
    });
  }

private:
  template <class T, class Memory = host_memory>
  using samples = std::array<sample<T, Memory>, layer_count>;

  template <std::size_t Source, std::size_t Target>
  static constexpr void require_layer_count() {
    static_assert(Source == layer_count && Target == layer_count,
                  "dalib: joint_mmd takes one tensor for each of its kernels in each domain: layers(z1, z2, ...)");
  }

  template <class T, class Memory, class... Z>
  static samples<T, Memory> samples_of(const std::tuple<Z...>& rows) {
    require_layer_count<sizeof...(Z), sizeof...(Z)>();
    static_assert((std::is_same_v<sample_memory<Z>, Memory> && ...),
                  "dalib: all layers and gradients must be in the same memory, of the host or of the device");
    return std::apply([](const auto&... layer) { return samples<T, Memory>{sample_of(layer)...}; }, rows);
  }

  template <class T, class Memory>
  static void require_valid(const samples<T, Memory>& source, const samples<T, Memory>& target,
                            const layer_gradients<T, layer_count, Memory>& out) {
    for (std::size_t l = 0; l < layer_count; ++l) {
      require_two_samples(name, source[l].rows, target[l].rows);
      require_same_samples(source[0], source[l]);
      require_same_samples(target[0], target[l]);
      require_gradient_shape(name, source[l].rows, out.source[l]);
      require_gradient_shape(name, target[l].rows, out.target[l]);
    }
    require_layers_apart(std::make_index_sequence<layer_count>{}, source, target, out);
  }
  template <class T, class Memory, std::size_t... L>
  static void require_layers_apart(std::index_sequence<L...>, const samples<T, Memory>& source, const samples<T, Memory>& target,
                                   const layer_gradients<T, layer_count, Memory>& out) {
    require_apart(name, {source[L].rows..., target[L].rows..., weights_of(source[0]), weights_of(target[0])},
                  {out.source[L]..., out.target[L]...});
  }
  template <class T, class Memory>
  static void require_same_samples(const sample<T, Memory>& first, const sample<T, Memory>& other) {
    require_shapes(first.rows.rows == other.rows.rows, name, "all layers of a domain must have the same number of samples", first.rows,
                   other.rows);
    require_shapes(first.weights == other.weights, name,
                   "all layers of a domain must have the same weights, as by weighted(layers(...), w)", first.rows, other.rows);
  }

  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const samples<T, Memory>& source, const samples<T, Memory>& target,
        const layer_gradients<T, layer_count, Memory>& out, workspace_of<Memory>& scratch) const {
    require_valid(source, target, out);
    const workspace_scope scope(scratch);
    return with_problem(exec, std::make_index_sequence<layer_count>{}, domains<T, Memory>{source, target, out}, scratch,
                        [&](const auto& layers) {
                          const engine::estimate_rule<T> rule{name, out.scale, out.mode};
                          return static_cast<T>(engine::estimate_bound<Gradient, Accumulator>(exec, estimator, layers, rule, scratch));
                        });
  }

  template <class T, class Memory>
  struct domains {
    const samples<T, Memory>&source, &target;
    const layer_gradients<T, layer_count, Memory>& out;
  };
  /// Calls use(layers) with the kernels bound.
  template <class Exec, class T, class Memory, std::size_t... L, class Use>
  auto with_problem(const Exec& exec, std::index_sequence<L...>, const domains<T, Memory>& of, workspace_of<Memory>& scratch,
                    const Use& use) const {
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, std::tuple_element_t<L, Kernels>, Memory>{
                                            {of.source[L], of.target[L]}, std::get<L>(kernels), of.out.source[L], of.out.target[L]}...);
    return use(problem.layers());
  }
};

joint_mmd()->joint_mmd<>;
template <class... Kernels>
joint_mmd(std::tuple<Kernels...>) -> joint_mmd<std::tuple<Kernels...>>;
template <class... Kernels, class Estimator>
joint_mmd(std::tuple<Kernels...>, Estimator) -> joint_mmd<std::tuple<Kernels...>, Estimator>;
template <class... Kernels, class Estimator, class Accumulator>
joint_mmd(std::tuple<Kernels...>, Estimator, Accumulator) -> joint_mmd<std::tuple<Kernels...>, Estimator, Accumulator>;

} // namespace dalib
