/// @file
/// The loss of CDAN on a discriminator's logits, with the samples weighted by the entropy of their class predictions.
#pragma once

#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/entropy_conditioning.hpp"

#include <array>
#include <type_traits>

namespace dalib {

/// Binary cross-entropy of a logit, exact for any finite logit.
struct logit_cross_entropy {
  template <class T>
  DALIB_HD T operator()(T logit, bool label, T& slope) const {
    return binary_cross_entropy(logit, label, slope);
  }
};

/// Share of all samples, in percent, that a discriminator's logits put into the right domain. (domain_accuracy is the mean of both domains'
/// shares; they differ for n_s != n_t.)
template <class LS, class LT>
double pooled_domain_accuracy(const LS& logits_s, const LT& logits_t) {
  const auto source = const_view_of(logits_s), target = const_view_of(logits_t);
  require_two_samples("pooled_domain_accuracy", source, target);
  index right = 0;
  for (index i = 0; i < source.rows; ++i) right += source(i, 0) >= 0 ? 1 : 0;
  for (index i = 0; i < target.rows; ++i) right += target(i, 0) < 0 ? 1 : 0;
  return 100 * static_cast<double>(right) / static_cast<double>(source.rows + target.rows);
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
template <conditioning_policy Conditioning = conditioning::none, reduction_policy Reduction = reduction::mean,
          class CrossEntropy = logit_cross_entropy>
struct conditional_domain_adversarial {
  static constexpr const char* name = "conditional_domain_adversarial";
  static constexpr std::array<const char*, 4> argument_names = {"the source logits", "the target logits", "the source class logits",
                                                                "the target class logits"};

  Conditioning conditioning;
  double entropy_reversal = 1; ///< lambda of the reversal that the entropy's gradient passes

  explicit conditional_domain_adversarial(Conditioning c = {}, Reduction = {}, CrossEntropy = {}) : conditioning(c) {}

  /// The value only.
  template <class LS, class LT, class GS, class GT>
  auto operator()(const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t) const {
    return (*this)(exec::default_policy{}, l_s, l_t, g_s, g_t);
  }
  template <class Exec, class LS, class LT, class GS, class GT>
  auto operator()(const Exec& exec, const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t) const {
    using T = value_type_of<LS>;
    require_types<T, Exec, LS, LT, GS, GT>();
    const gradients<T> none{matrix_view<T>{}, matrix_view<T>{}};
    return run<false, T>(exec, const_view_of(l_s), const_view_of(l_t), const_view_of(g_s), const_view_of(g_t), none, none);
  }

  /// Value, and gradients with respect to the discriminator's logits (and to the class logits) into the caller's memory.
  template <class LS, class LT, class GS, class GT, class T>
  reduced<T, Reduction> value_and_gradient(const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t, const gradients<T>& out,
                                           const gradients<std::type_identity_t<T>>& class_out = {matrix_view<T>{},
                                                                                                  matrix_view<T>{}}) const {
    return value_and_gradient(exec::default_policy{}, l_s, l_t, g_s, g_t, out, class_out);
  }
  template <class Exec, class LS, class LT, class GS, class GT, class T>
  reduced<T, Reduction>
  value_and_gradient(const Exec& exec, const LS& l_s, const LT& l_t, const GS& g_s, const GT& g_t, const gradients<T>& out,
                     const gradients<std::type_identity_t<T>>& class_out = {matrix_view<T>{}, matrix_view<T>{}}) const {
    require_types<T, Exec, LS, LT, GS, GT>();
    return run<true, T>(exec, const_view_of(l_s), const_view_of(l_t), const_view_of(g_s), const_view_of(g_t), out, class_out);
  }

private:
  template <class T, class Exec, class... Tensors>
  static constexpr void require_types() {
    static_assert(execution_policy<Exec>, "dalib: the first argument must be an execution policy, such as dalib::exec::serial");
    require_scalar_types<T, Tensors...>();
  }

  template <class T>
  using view = matrix_view<const T>;

  template <class T>
  static void require_valid(const view<T>& l_s, const view<T>& l_t, const view<T>& g_s, const view<T>& g_t, const gradients<T>& out,
                            const gradients<T>& class_out) {
    require_two_samples(name, l_s, l_t);
    require_shapes(l_s.cols == 1, name, "a discriminator gives one logit per sample", l_s, l_t);
    require_two_samples(name, g_s, g_t);
    require_shapes(l_s.rows == g_s.rows, name, "both kinds of source logits must have the same number of samples", l_s, g_s);
    require_shapes(l_t.rows == g_t.rows, name, "both kinds of target logits must have the same number of samples", l_t, g_t);
    require_gradient_shape(name, l_s, out.source);
    require_gradient_shape(name, l_t, out.target);
    require_gradient_shape(name, g_s, class_out.source);
    require_gradient_shape(name, g_t, class_out.target);
  }

  template <bool Gradient, class T, class Exec>
  reduced<T, Reduction> run(const Exec& exec, const view<T>& l_s, const view<T>& l_t, const view<T>& g_s, const view<T>& g_t,
                            const gradients<T>& out, const gradients<T>& class_out) const {
    require_valid(l_s, l_t, g_s, g_t, out, class_out);
    const sample_weights<T> weights = weigh_samples(exec, conditioning, g_s, g_t);
    const T factor = static_cast<T>(Reduction::factor(l_s.rows + l_t.rows));
    std::vector<T> entropy_slopes(Gradient ? weights.values.size() : 0);
    auto result = engine::reduce_rows<T, Reduction>(exec, l_s.rows + l_t.rows, [&](index row) {
      const bool is_source = row < l_s.rows;
      const index place = is_source ? row : row - l_s.rows;
      const auto sample = static_cast<std::size_t>(row);
      T slope;
      const T loss = factor * CrossEntropy{}((is_source ? l_s : l_t)(place, 0), is_source, slope);
      if constexpr (Gradient) {
        const matrix_view<T>& to = is_source ? out.source : out.target;
        if (to.data) engine::put(to(place, 0), out.scale * factor * weights.values[sample] * slope, out.mode == write_mode::accumulate);
        entropy_slopes[sample] = loss * weights.slopes[sample];
      }
      return static_cast<double>(weights.values[sample] * loss);
    });
    if constexpr (Gradient) pull_weights(exec, g_s, g_t, entropy_slopes, class_out);
    return result;
  }

  /// dL/dg through the weights: entropy_slopes holds dL/dH of every sample.
  template <class Exec, class T>
  void pull_weights(const Exec& exec, const view<T>& g_s, const view<T>& g_t, const std::vector<T>& entropy_slopes,
                    const gradients<T>& class_out) const {
    if (class_out.source.data == nullptr && class_out.target.data == nullptr) return;
    const engine::row_groups groups{g_s.rows, g_t.rows, simd_lanes<T>};
    const T scale = conditioning.reverses_entropy() ? static_cast<T>(-entropy_reversal) * class_out.scale : T(0);
    workspace memory;
    const engine::column_scratch<T> scratch(memory, exec.workers(), 1, g_s.cols);
    exec.run(groups.count(), [&](index task, int worker) {
      const engine::row_group group = groups[task];
      const auto p = scratch(worker, 0);
      engine::load_rows(class_rows<const T>{group.is_source ? g_s : g_t}, group.first, group.count, p);
      engine::softmax_in_place(p);
      T factors[simd_lanes<T>] = {};
      for (index lane = 0; lane < group.count; ++lane)
        factors[lane] = scale * entropy_slopes[static_cast<std::size_t>(group.sample + lane)];
      engine::pull_entropy(p, pack<T>::load(factors));
      engine::store_rows(p, group.first, group.count, class_rows<T>{group.is_source ? class_out.source : class_out.target}, class_out.mode);
    });
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
