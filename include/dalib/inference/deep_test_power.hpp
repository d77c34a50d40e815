/// @file
/// The power criterion of a deep kernel: what a network is trained by to tell two samples apart.
#pragma once

#include "dalib/core/graph_value.hpp"
#include "dalib/inference/deep_kernel.hpp"
#include "dalib/inference/test_power.hpp"

#include <array>
#include <tuple>

namespace dalib::inference {

/// Estimated power of an MMD test with a deep kernel, J of liu_variance, as a measure of two samples of n rows each:
/// `power(layers(phi_s, x_s), layers(phi_t, x_t))`. A larger value is better: train with scale -1 (Liu et al. 2020, algorithm 1).
///
/// All forms of a measure: gradients to features and inputs of both samples in one pass, O(n^2 (F + H)) time and O(n (F + H)) memory; as
/// one node of a tape, so that the network that makes the features learns; `parameter_gradient` for epsilon and the logarithms of both
/// lengths. Rows of the samples are paired by place. @throws std::invalid_argument for shapes that do not fit, n_s != n_t, n < 2, weights,
/// and epsilon outside [0, 1].
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(40, 3), y = Eigen::MatrixXd::Random(40, 3).array() + 0.3;
/// const Eigen::MatrixXd phi_x = x.array().square(), phi_y = y.array().square(); // of a network
/// const inference::deep_test_power power{inference::deep_kernel{kernel::gaussian{0.5}, kernel::gaussian{1.0}}};
/// const auto [value, gx, gy] = value_and_gradient(power, layers(phi_x, x), layers(phi_y, y));
/// const inference::deep_kernel_gradient slopes = power.parameter_gradient(layers(phi_x, x), layers(phi_y, y));
/// assert(value > 0 && std::get<0>(gx).norm() > 0 && std::get<1>(gy).norm() > 0 && std::isfinite(slopes.epsilon));
/// assert(power.parts(layers(phi_x, x), layers(phi_y, y)).value == value);
/// @endcode
template <class Kernel = deep_kernel<>>
struct deep_test_power : call_forms<deep_test_power<Kernel>> {
  static constexpr const char* name = "deep_test_power";
  static constexpr std::size_t arity = 2; // two samples

  Kernel kernel{};
  double lambda = 1e-8; ///< added to the variance; so large that the variance does not count, J sqrt(lambda) is the MMD itself

  deep_test_power() = default;
  explicit deep_test_power(Kernel k, double least = 1e-8) : kernel(k), lambda(least) {}

  /// The operation that every form of call comes down to.
  template <class Call, sample_like... ZS, sample_like... ZT>
  auto evaluate(const Call& call, const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt) const {
    const auto source = detail::deep_rows_of(zs), target = detail::deep_rows_of(zt);
    using T = typename std::remove_cvref_t<decltype(source[0].rows)>::value_type;
    require_execution<typename Call::execution_type, host_memory>();
    const layer_gradients<T, 2> out = call.template output<0>(layer_gradients<T, 2>{});
    return run<Call::wants_gradient>(call.execution, source, target, out, call.scratch);
  }

  /// On a tape: one node with the gradients of all that is not constant.
  template <class... VS, class... VT>
  requires((graph_value<std::remove_cvref_t<VS>> && ...) &&
           (graph_value<std::remove_cvref_t<VT>> && ...)) auto record(const std::tuple<VS...>& zs, const std::tuple<VT...>& zt) const {
    static_assert(sizeof...(VS) == 2 && sizeof...(VT) == 2,
                  "dalib: a deep kernel looks at features and inputs: layers(features, inputs) for each sample");
    using V = std::remove_cvref_t<std::tuple_element_t<0, std::tuple<VS...>>>;
    const std::array<V, 4> inputs = std::apply([](const auto&... input) { return std::array<V, 4>{input...}; }, std::tuple_cat(zs, zt));
    return graph_traits<V>::record(inputs, [&](const auto& value, const auto& gradient, const auto&... execution) {
      using T = scalar_of_views<decltype(gradient)>;
      static_assert(std::is_same_v<memory_of_views<decltype(gradient)>, host_memory>,
                    "dalib: deep kernels take tensors in the host's memory");
      const detail::deep_rows<T> source{sample<T>{value[0]}, sample<T>{value[1]}}, target{sample<T>{value[2]}, sample<T>{value[3]}};
      layer_gradients<T, 2> out;
      out.source = {gradient[0], gradient[1]};
      out.target = {gradient[2], gradient[3]};
      workspace scratch;
      if constexpr (sizeof...(execution) > 0)
        return run<true>(execution..., source, target, out, scratch);
      else
        return run<true>(exec::default_policy{}, source, target, out, scratch);
    });
  }

  /// The MMD, its variance and the criterion.
  template <sample_like... ZS, sample_like... ZT, class Exec = exec::default_policy>
  power_parts parts(const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt, const Exec& exec = {}) const {
    return with_slopes(exec, detail::deep_rows_of(zs), detail::deep_rows_of(zt), [](const auto& slopes, const auto&...) {
      return power_parts{slopes.mmd, slopes.variance, slopes.value};
    });
  }
  /// How the criterion changes with epsilon and with the kernels' lengths.
  template <sample_like... ZS, sample_like... ZT, class Exec = exec::default_policy>
  deep_kernel_gradient parameter_gradient(const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt, const Exec& exec = {}) const {
    const auto source = detail::deep_rows_of(zs), target = detail::deep_rows_of(zt);
    using T = typename std::remove_cvref_t<decltype(source[0].rows)>::value_type;
    return with_slopes(exec, source, target, [&](const auto& slopes, const auto& bound, auto& scratch) {
      return bound.parameter_gradient(name, exec, source, target, slopes.template coefficients<T>(source[0].rows.rows), scratch);
    });
  }

private:
  template <class T>
  void require(const detail::deep_rows<T>& source, const detail::deep_rows<T>& target) const {
    detail::require_deep_rows(name, source, target, kernel.epsilon);
    detail::require_paired(name, source[0], target[0], liu_variance::least_rows);
  }
  template <class Exec, class T, class Bound>
  detail::power_slopes slopes_of(const Exec& exec, const Bound& bound, const detail::deep_rows<T>& source,
                                 const detail::deep_rows<T>& target, workspace& scratch) const {
    const workspace_mark mark(scratch);
    return detail::with_deep_values(name, exec, bound, source, target, scratch, [&](const auto& features, const auto& inputs) {
      return liu_variance::slopes(detail::deep_row_sums(exec, features, inputs, kernel.epsilon), lambda);
    });
  }
  template <class Exec, class T, class Use>
  auto with_slopes(const Exec& exec, const detail::deep_rows<T>& source, const detail::deep_rows<T>& target, const Use& use) const {
    require(source, target);
    workspace scratch;
    const auto bound = detail::bind_deep(exec, kernel, source, target, scratch);
    return use(slopes_of(exec, bound, source, target, scratch), bound, scratch);
  }
  template <bool Gradient, class Exec, class T>
  T run(const Exec& exec, const detail::deep_rows<T>& source, const detail::deep_rows<T>& target, const layer_gradients<T, 2>& out,
        workspace& scratch) const {
    require(source, target);
    for (std::size_t l = 0; l < 2; ++l) {
      require_gradient_shape(name, source[l].rows, out.source[l]);
      require_gradient_shape(name, target[l].rows, out.target[l]);
    }
    require_apart(name, {source[0].rows, source[1].rows, target[0].rows, target[1].rows},
                  {out.source[0], out.source[1], out.target[0], out.target[1]});
    const workspace_scope scope(scratch);
    const auto bound = detail::bind_deep(exec, kernel, source, target, scratch);
    const detail::power_slopes slopes = slopes_of(exec, bound, source, target, scratch);
    if constexpr (Gradient)
      bound.template pair_sum<true>(name, exec, source, target, slopes.template coefficients<T>(source[0].rows.rows), out, scratch);
    return static_cast<T>(slopes.value);
  }
};

} // namespace dalib::inference
