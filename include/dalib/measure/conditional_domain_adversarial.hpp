/// @file
/// The loss of CDAN on a discriminator's logits, with the samples weighted by the entropy of their class predictions.
#pragma once

#include "dalib/engine/host/backend.hpp"
#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/maps/entropy_conditioning.hpp"

#include <array>
#include <type_traits>

namespace dalib {

/// Binary cross-entropy of a logit, exact for any finite logit. A policy of this kind is called with packs of logits on the CPU and with
/// single ones on a GPU.
struct logit_cross_entropy {
  template <class V>
  DALIB_HD V operator()(const V& logit, bool label, V& slope) const {
    return binary_cross_entropy(logit, label, slope);
  }
};

namespace detail {

/// The weighted cross-entropy of a register of logits, or of one, their gradient, and the loss's slope with respect to the samples'
/// entropies.
template <bool Gradient, class T, class Memory, class CrossEntropy>
struct conditional_task {
  matrix_view<const T, Memory> source, target;
  gradients<T, Memory> out;
  const T* weights;
  const T* weight_slopes;
  T* entropy_slopes; ///< none: not wanted
  T factor;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto logits = scratch(0);
    engine::load_rows(class_rows<const T, Memory>{group.is_source ? source : target}, group.first, group.count, logits);
    const V weight = engine::load_samples<V>(weights, group);
    V slope(0);
    const V loss = V(factor) * CrossEntropy{}(logits[0], group.is_source, slope);
    if constexpr (Gradient) {
      logits.set(0, V(out.scale * factor) * weight * slope);
      engine::store_rows(logits, group.first, group.count, class_rows<T, Memory>{group.is_source ? out.source : out.target}, out.mode);
      if (entropy_slopes) engine::store_samples(loss * engine::load_samples<V>(weight_slopes, group), group, entropy_slopes);
    }
    return weight * loss;
  }
};

/// The gradient of a register of rows of class logits through the entropy.
template <class T, class Memory>
struct entropy_gradient_task {
  class_rows<const T, Memory> source, target;
  gradients<T, Memory> out;
  const T* entropy_slopes;
  T scale;
  double offset;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto rows = scratch(0);
    engine::load_rows(group.is_source ? source : target, group.first, group.count, rows);
    engine::pull_entropy(rows, scratch(1), offset, V(scale) * engine::load_samples<V>(entropy_slopes, group));
    engine::store_rows(rows, group.first, group.count, class_rows<T, Memory>{group.is_source ? out.source : out.target}, out.mode);
  }
};

} // namespace detail

/// Share of all samples, in percent, that a discriminator's logits put into the right domain. (domain_accuracy is the mean of both domains'
/// shares; they differ for n_s != n_t.)
template <class LS, class LT>
double pooled_domain_accuracy(const LS& logits_s, const LT& logits_t) {
  const auto source = const_view_of(logits_s), target = const_view_of(logits_t);
  const auto [right_s, right_t] = detail::right_sides("pooled_domain_accuracy", source, target);
  return 100 * (right_s + right_t) / static_cast<double>(source.rows + target.rows);
}

/// Conditional domain adversarial loss of a discriminator's logits l, with class logits g (CDAN, Long et al. 2018, eq. 9, with the sign of
/// a minimisation), source label 1:
///
///     1/(n_s + n_t) (sum_s w_i softplus(-l_i) + sum_t w_i softplus(l_i)),   w = the conditioning's weights of softmax(g)
///
/// l_s is (n_s, 1), l_t (n_t, 1), g_s (n_s, C), g_t (n_t, C). Mean, sum and per-sample values (reduction::none: n_s + n_t of them, source
/// first) run over both domains together. Weights are detached, unless the conditioning reverses the entropy: then dL/dg, times
/// -entropy_reversal, goes into the optional last argument; where they are detached that argument receives zeros. Finite with a right
/// gradient for any finite logits. O((n_s + n_t) C).
/// @throws std::invalid_argument for empty domains, shapes that do not fit, or gradients of the wrong shape; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd l_s = Eigen::MatrixXd::Random(6, 1), l_t = Eigen::MatrixXd::Random(4, 1); // of the discriminator
/// const Eigen::MatrixXd g_s = Eigen::MatrixXd::Random(6, 3), g_t = Eigen::MatrixXd::Random(4, 3); // of the classifier
/// Eigen::MatrixXd gl_s(6, 1), gl_t(4, 1);
/// const conditional_domain_adversarial cdan_e{conditioning::joint_entropy{}};
/// const double value = cdan_e.value_and_gradient(l_s, l_t, g_s, g_t, gradients{gl_s, gl_t});
/// assert(value == cdan_e(l_s, l_t, g_s, g_t) && gl_s.maxCoeff() < 0 && gl_t.minCoeff() > 0);
/// double slope;
/// assert(logit_cross_entropy{}(0.0, true, slope) == std::log(2.0) && slope == -0.5);
/// @endcode
template <conditioning_policy Conditioning = conditioning::none, reduction_policy Reduction = reduction::mean,
          class CrossEntropy = logit_cross_entropy>
struct conditional_domain_adversarial : call_forms<conditional_domain_adversarial<Conditioning, Reduction, CrossEntropy>> {
  static constexpr const char* name = "conditional_domain_adversarial";
  static constexpr std::size_t arity = 4;
  using returned = std::index_sequence<0, 1>; // gradients that the allocating form makes: the discriminator's logits'
  static constexpr bool recordable = !Reduction::per_sample; // two of the inputs have other rows than the values
  static constexpr std::array<const char*, 4> argument_names = {"the source logits", "the target logits", "the source class logits",
                                                                "the target class logits"};

  Conditioning conditioning;
  double entropy_reversal = 1; ///< lambda of the reversal that the entropy's gradient passes

  explicit conditional_domain_adversarial(Conditioning c = {}, Reduction = {}, CrossEntropy = {}) : conditioning(c) {}

  /// The operation that every form of call comes down to. The first output has the gradients with respect to the discriminator's logits,
  /// a second one, if given, those with respect to the class logits.
  template <class Call, class LS, class LT, class GS, class GT>
  auto evaluate(const Call& call, const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t) const {
    const auto unwanted = no_gradients<value_type_of<LS>, memory_of<LS>>();
    return checked_types(call, call.template output<0>(unwanted), call.template output<1>(unwanted), l_s, l_t, g_s, g_t);
  }

private:
  template <class T, class Memory>
  using view = matrix_view<const T, Memory>;

  template <class Call, class T, class Memory, class LS, class LT, class GS, class GT>
  reduced<T, Reduction> checked_types(const Call& call, const gradients<T, Memory>& out, const gradients<T, Memory>& class_out,
                                      const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t) const {
    require_tensor_types<T, Memory, typename Call::execution_type, LS, LT, GS, GT>();
    return run<Call, T, Memory>(call, {const_view_of(l_s), const_view_of(l_t), const_view_of(g_s), const_view_of(g_t), out, class_out});
  }

  /// Inputs and outputs of one call.
  template <class T, class Memory>
  struct tensors {
    view<T, Memory> l_s, l_t, g_s, g_t;
    gradients<T, Memory> out, class_out;
  };

  template <class T, class Memory>
  static void require_valid(const tensors<T, Memory>& all) {
    const auto& [l_s, l_t, g_s, g_t, out, class_out] = all;
    require_two_samples(name, l_s, l_t);
    require_shapes(l_s.cols == 1, name, "a discriminator gives one logit per sample", l_s, l_t);
    require_two_samples(name, g_s, g_t);
    require_shapes(l_s.rows == g_s.rows, name, "both kinds of source logits must have the same number of samples", l_s, g_s);
    require_shapes(l_t.rows == g_t.rows, name, "both kinds of target logits must have the same number of samples", l_t, g_t);
    require_gradient_shape(name, l_s, out.source);
    require_gradient_shape(name, l_t, out.target);
    require_gradient_shape(name, g_s, class_out.source);
    require_gradient_shape(name, g_t, class_out.target);
    require_apart(name, {l_s, l_t, g_s, g_t}, {out.source, out.target, class_out.source, class_out.target});
  }

  template <class Call, class T, class Memory>
  reduced<T, Reduction> run(const Call& call, const tensors<T, Memory>& all) const {
    require_valid(all);
    const workspace_scope scope(call.scratch);
    const index_t samples = all.l_s.rows + all.l_t.rows;
    const weights_to<T> weights{call.scratch.template allocate<T>(samples), call.scratch.template allocate<T>(samples)};
    weigh_samples(call.execution, conditioning, all.g_s, all.g_t, weights, call.scratch);
    const T factor = static_cast<T>(Reduction::factor(samples));
    const bool pulls = Call::wants_gradient && (all.class_out.source.data != nullptr || all.class_out.target.data != nullptr);
    T* const entropy_slopes = pulls ? call.scratch.template allocate<T>(samples) : nullptr;
    using task = detail::conditional_task<Call::wants_gradient, T, Memory, CrossEntropy>;
    auto result = backend<Memory>::template reduce_groups<T, Reduction>(
        call.execution, engine::row_problem{all.l_s.rows, all.l_t.rows, 1, 1},
        task{all.l_s, all.l_t, all.out, weights.values, weights.slopes, entropy_slopes, factor}, call.scratch);
    if (pulls) pull_weights(call, all, entropy_slopes);
    return result;
  }

  /// dL/dg through the weights: entropy_slopes holds dL/dH of every sample.
  template <class Call, class T, class Memory>
  void pull_weights(const Call& call, const tensors<T, Memory>& all, const T* entropy_slopes) const {
    const T scale = conditioning.reverses_entropy() ? static_cast<T>(-entropy_reversal) * all.class_out.scale : T(0);
    backend<Memory>::template visit_groups<T>(
        call.execution, engine::row_problem{all.g_s.rows, all.g_t.rows, 2, all.g_s.cols},
        detail::entropy_gradient_task<T, Memory>{
            {all.g_s}, {all.g_t}, all.class_out, entropy_slopes, scale, static_cast<double>(conditioning.offset)},
        call.scratch);
  }
};

conditional_domain_adversarial()->conditional_domain_adversarial<>;
template <class Conditioning>
conditional_domain_adversarial(Conditioning) -> conditional_domain_adversarial<Conditioning>;
template <class Conditioning, class Reduction>
conditional_domain_adversarial(Conditioning, Reduction) -> conditional_domain_adversarial<Conditioning, Reduction>;
template <class Conditioning, class Reduction, class CrossEntropy>
conditional_domain_adversarial(Conditioning, Reduction, CrossEntropy)
    -> conditional_domain_adversarial<Conditioning, Reduction, CrossEntropy>;

} // namespace dalib
