/// @file
/// Deep kernels: a kernel of what a network makes of the rows, times one of the rows themselves.
#pragma once

#include "dalib/core/layers.hpp"
#include "dalib/inference/hsic.hpp"
#include "dalib/inference/row_sums.hpp"
#include "dalib/kernel/gaussian.hpp"

#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace dalib::inference {

/// The deep kernel (Liu et al. 2020, eq. 1) of rows x with features phi, which some network has made of them:
///
///     k((phi, x), (phi', x')) = ((1 - epsilon) k_features(phi, phi') + epsilon) k_inputs(x, x')
///
/// epsilon keeps the kernel characteristic whatever the network does. What takes a deep kernel takes `layers(phi, x)` for each sample:
/// deep_test_power, by which network and kernel are trained, and deep_permutation_test. Both kernels are of distances; their bandwidths are
/// resolved on both samples and detached.
/// @throws std::invalid_argument where it is used, unless 0 <= epsilon <= 1.
///
/// @code{.cpp}
/// const inference::deep_kernel k{kernel::gaussian{1.0}, kernel::gaussian{2.0}, 0.1};
/// const inference::deep_kernel_gradient slopes{.epsilon = 1}; // of deep_test_power::parameter_gradient
/// assert(k.epsilon + 0 * slopes.epsilon == 0.1 && inference::deep_kernel<>{}.epsilon == 0.1);
/// @endcode
template <class Features = kernel::gaussian<bandwidth::median>, class Inputs = kernel::gaussian<bandwidth::median>>
struct deep_kernel {
  Features features{};
  Inputs inputs{};
  double epsilon = 0.1;

  deep_kernel() = default;
  explicit deep_kernel(Features of_features, Inputs of_inputs = {}, double least = 0.1)
      : features(of_features), inputs(of_inputs), epsilon(least) {}
};

/// How a criterion changes with a deep kernel's parameters.
struct deep_kernel_gradient {
  double epsilon = 0, log_feature_length = 0, log_input_length = 0;
};

namespace detail {

/// Features and inputs of one sample.
template <class T>
using deep_rows = std::array<sample<T>, 2>;

template <class... Z>
auto deep_rows_of(const std::tuple<Z...>& both) {
  static_assert(sizeof...(Z) == 2, "dalib: a deep kernel looks at features and inputs: layers(features, inputs) for each sample");
  using types = dalib::detail::layered_value<std::tuple<Z...>>;
  static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: deep kernels take tensors in the host's memory");
  return deep_rows<typename types::type>{sample_of(std::get<0>(both)), sample_of(std::get<1>(both))};
}

template <class T>
void require_deep_rows(const char* name, const deep_rows<T>& source, const deep_rows<T>& target, double epsilon) {
  for (std::size_t l = 0; l < 2; ++l) {
    require_two_samples(name, source[l].rows, target[l].rows);
    if (source[l].weights != nullptr || target[l].weights != nullptr) fail(name, "takes no sample weights");
  }
  for (const auto* one : {&source, &target})
    require_shapes((*one)[0].rows.rows == (*one)[1].rows.rows, name, "needs as many rows of features as of inputs", (*one)[0].rows,
                   (*one)[1].rows);
  if (!(epsilon >= 0 && epsilon <= 1)) fail(name, "epsilon must be in [0, 1] (got " + std::to_string(epsilon) + ")");
}

/// What of a factor of the deep kernel is wanted: itself, its derivative with respect to epsilon, or to its logarithmic length.
enum class deep_part { value, of_epsilon, of_length };

/// (1 - epsilon) k + epsilon, or one of its derivatives, as a kernel: one type for all, as they are chosen when the program runs.
template <class K>
struct deep_factor {
  using statistics = statistics_of<K>;
  K kernel;
  double epsilon = 0;
  deep_part part = deep_part::value;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    const bool of_length = part == deep_part::of_length, of_epsilon = part == deep_part::of_epsilon;
    const T factor = T(of_epsilon ? -1 : 1 - epsilon), shift = T(of_length ? 0 : of_epsilon ? 1 : epsilon);
    multi_jet<T, List::size> jet =
        of_length ? log_length_derivative<K>{kernel}.template evaluate<List>(s) : dalib::evaluate<List>(kernel, s);
    jet.value = factor * jet.value + shift;
    for (std::size_t i = 0; i < List::size; ++i) jet.slopes[i] = factor * jet.slopes[i];
    return jet;
  }
  deep_factor with_unit(double unit) const requires(takes_unit<K>) { return {kernel.with_unit(unit), epsilon, part}; }
};

/// Both kernels bound on their rows.
template <class F, class I>
struct bound_deep_kernel {
  F features;
  I inputs;
  double epsilon;

  /// sum c(a, b) k(a, b) over the pairs of the joint sample, and with Gradient its gradients; or the same of a derivative of the kernel.
  template <bool Gradient, class Exec, class T, class Coefficients>
  double pair_sum(const char* name, const Exec& exec, const deep_rows<T>& source, const deep_rows<T>& target,
                  const Coefficients& coefficients, const layer_gradients<T, 2>& out, workspace& scratch,
                  std::array<deep_part, 2> parts = {}) const {
    const workspace_mark mark(scratch);
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, bound_already<deep_factor<F>>>{
                                            {source[0], target[0]}, {{features, epsilon, parts[0]}}, out.source[0], out.target[0]},
                                        engine::layer_input<T, bound_already<deep_factor<I>>>{
                                            {source[1], target[1]}, {{inputs, 0, parts[1]}}, out.source[1], out.target[1]});
    return engine::with_units(exec, name, problem.layers(), scratch, [&](const auto& layers) {
      const engine::gradient_rule<T> rule{out.scale, out.mode};
      return engine::pairwise_sum<Gradient, accumulator::plain>(exec, coefficients, layers, rule, scratch);
    });
  }

  /// How such a sum changes with the parameters. Three passes for values.
  template <class Exec, class T, class Coefficients>
  deep_kernel_gradient parameter_gradient(const char* name, const Exec& exec, const deep_rows<T>& source, const deep_rows<T>& target,
                                          const Coefficients& coefficients, workspace& scratch) const {
    const auto sum = [&](deep_part first, deep_part second) {
      return pair_sum<false>(name, exec, source, target, coefficients, layer_gradients<T, 2>{}, scratch, {first, second});
    };
    return {sum(deep_part::of_epsilon, deep_part::value), sum(deep_part::of_length, deep_part::value),
            sum(deep_part::value, deep_part::of_length)};
  }
};

template <class Exec, class T, class F, class I>
auto bind_deep(const Exec& exec, const deep_kernel<F, I>& kernel, const deep_rows<T>& source, const deep_rows<T>& target,
               workspace& scratch) {
  const auto features = bind_on(exec, kernel.features, source[0], target[0], scratch);
  const auto inputs = bind_on(exec, kernel.inputs, source[1], target[1], scratch);
  return bound_deep_kernel<std::remove_const_t<decltype(features)>, std::remove_const_t<decltype(inputs)>>{features, inputs,
                                                                                                           kernel.epsilon};
}

/// Calls use(features, inputs) with the kernel_blocks of both bound kernels.
template <class Exec, class T, class F, class I, class Use>
auto with_deep_values(const char* name, const Exec& exec, const bound_deep_kernel<F, I>& kernel, const deep_rows<T>& source,
                      const deep_rows<T>& target, workspace& scratch, const Use& use) {
  return with_kernel<false>(name, exec, bound_already<F>{kernel.features}, source[0], target[0], scratch, [&](const auto& features) {
    return with_kernel<false>(name, exec, bound_already<I>{kernel.inputs}, source[1], target[1], scratch,
                              [&](const auto& inputs) { return use(features, inputs); });
  });
}

/// Row sums of the deep kernel's matrix, of paired samples. O(n^2 (F + H)), each row in one task.
template <class Exec, class X, class Y>
kernel_row_sums deep_row_sums(const Exec& exec, const X& features, const Y& inputs, double epsilon) {
  const index_t n = features.rows(), n_s = features.source_rows();
  kernel_row_sums r;
  r.within.assign(static_cast<std::size_t>(n), 0.0);
  r.across = r.own = r.within;
  r.paired.assign(static_cast<std::size_t>(n_s), 0.0);
  visit_both(exec, features, inputs, [&](index_t i, index_t j, double k, double l) {
    const auto at = static_cast<std::size_t>(i);
    const double value = ((1 - epsilon) * k + epsilon) * l;
    if (i == j)
      r.own[at] = value;
    else
      ((i < n_s) == (j < n_s) ? r.within : r.across)[at] += value;
    if (j == i + n_s) r.paired[at] = value;
  });
  for (index_t i = 0; i < n; ++i) {
    (i < n_s ? r.within_source : r.within_target) += r.within[static_cast<std::size_t>(i)];
    if (i < n_s) r.across_all += r.across[static_cast<std::size_t>(i)];
  }
  return r;
}

/// The deep kernel's matrix tile by tile, as label_form_pass takes it: the product of two kernels' tiles.
template <class T, class F, class I>
class deep_tiles {
public:
  /// @param own  without: the pair of a row with itself is 0
  template <class Exec>
  deep_tiles(const Exec& exec, const kernel_blocks<T, F>& features, const kernel_blocks<T, I>& inputs, double epsilon, own_pairs own,
             workspace& scratch)
      : features_(exec, features.layer(), scratch), inputs_(exec, inputs.layer(), scratch, 1, own == own_pairs::without),
        least_(static_cast<T>(epsilon)) {}

  index_t stride() const { return features_.stride(); } // both kernels have the same rows in the same blocks
  index_t blocks() const { return features_.blocks(); }
  auto rows(index_t block) const { return features_.rows(block); }
  T* const* operator()(int worker, index_t lanes, index_t columns) const {
    T* const* kept = features_(worker, lanes, columns);
    const T *own = inputs_(worker, lanes, columns)[0], most = T(1) - least_;
    for (index_t c = 0; c < rows(columns).count; ++c)
      for (index_t l = 0; l < rows(lanes).count; ++l) {
        T& value = kept[0][c * stride() + l];
        value = (most * value + least_) * own[c * stride() + l];
      }
    return kept;
  }

private:
  engine::kernel_tiles<T, F> features_;
  engine::kernel_tiles<T, I> inputs_;
  T least_;
};

} // namespace detail
} // namespace dalib::inference
