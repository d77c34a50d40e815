/// @file
/// The domain adversarial loss of DANN: on a discriminator's logits, and with the discriminator inside.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/check.hpp"
#include "dalib/core/gradients.hpp"
#include "dalib/core/graph.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/class_column.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/measure/warm_start_reversal.hpp"
#include "dalib/simd/pack_math.hpp"

#include <array>
#include <utility>

namespace dalib {

namespace detail {

/// The share of a register of logits, or of one, in the domain adversarial loss, and their gradient.
template <class T, class Memory>
struct adversarial_task {
  matrix_view<const T, Memory> source, target;
  gradients<T, Memory> out;
  T source_factor, target_factor;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto logits = scratch(0);
    engine::load_rows(class_rows<const T, Memory>{group.is_source ? source : target}, group.first, group.count, logits);
    const V factor = group.is_source ? source_factor : target_factor;
    V slope(0);
    const V loss = binary_cross_entropy(logits[0], group.is_source, slope);
    logits.set(0, V(out.scale) * factor * slope);
    engine::store_rows(logits, group.first, group.count, class_rows<T, Memory>{group.is_source ? out.source : out.target}, out.mode);
    return factor * loss;
  }
};

/// 1 if a logit is on its domain's side of 0.
template <class T, class Memory>
struct right_side_task {
  matrix_view<const T, Memory> logits;
  bool is_source;

  DALIB_HD double operator()(index_t row) const { return (is_source ? logits(row, 0) >= T(0) : logits(row, 0) < T(0)) ? 1 : 0; }
};

/// Numbers of source and target logits on the right side; a logit that is NaN is on neither.
template <class T, class Memory>
std::array<double, 2> right_sides(const char* measure, const matrix_view<const T, Memory>& source,
                                  const matrix_view<const T, Memory>& target) {
  require_two_samples(measure, source, target);
  const exec::default_for<Memory> exec;
  workspace_of<Memory> scratch;
  return {backend<Memory>::sum_over_rows(exec, source.rows, right_side_task<T, Memory>{source, true}, scratch),
          backend<Memory>::sum_over_rows(exec, target.rows, right_side_task<T, Memory>{target, false}, scratch)};
}

} // namespace detail

/// Domain adversarial loss of a discriminator's logits (DANN, Ganin et al. 2016, eq. 9 with the sign of a minimisation), source label 1:
///
///     1/2 (mean_s softplus(-l_s) + mean_t softplus(l_t)),   softplus(x) = log(1 + e^x)
///
/// Logits are (n_s, 1) and (n_t, 1); n_s and n_t may differ, and then each domain still has half of the weight. With reduction::none sample
/// i has the value 1/2 softplus(-+l_i). Finite with a right gradient for any finite logit. O(n).
/// @throws std::invalid_argument for empty domains, other than one column, or gradients of the wrong shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd l_s = Eigen::MatrixXd::Constant(6, 1, 2), l_t = Eigen::MatrixXd::Constant(4, 1, 2); // "all are source"
/// const auto [value, g_s, g_t] = value_and_gradient(domain_adversarial{}, l_s, l_t);
/// assert(std::abs(value - (std::log1p(std::exp(-2)) + std::log1p(std::exp(2))) / 2) < 1e-15);
/// assert(g_s(0) < 0 && g_t(0) > 0 && domain_accuracy(l_s, l_t) == 50);
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct domain_adversarial : call_forms<domain_adversarial<Reduction>> {
  static constexpr const char* name = "domain_adversarial";
  static constexpr std::size_t arity = 2;

  /// The operation that every form of call comes down to.
  template <class Call, class LS, class LT>
  auto evaluate(const Call& call, const LS& logits_s, const LT& logits_t) const {
    using types = two_sample_types<LS, LT>;
    using T = typename types::value_type;
    using Memory = typename types::memory;
    require_execution<typename Call::execution_type, Memory>();
    const auto given = call.template output<0>(no_gradients<T, Memory>());
    require_gradient_types<types>(given);
    const gradients<T, Memory>& out = given;
    const matrix_view<const typename types::value_type, typename types::memory> source = view_of(logits_s), target = view_of(logits_t);
    require_two_samples(name, source, target);
    require_shapes(source.cols == 1, name, "a discriminator gives one logit per sample", source, target);
    require_gradient_shape(name, source, out.source);
    require_gradient_shape(name, target, out.target);
    require_apart(name, {source, target}, {out.source, out.target});
    const T source_factor = static_cast<T>(0.5 * Reduction::factor(source.rows));
    const T target_factor = static_cast<T>(0.5 * Reduction::factor(target.rows));
    const workspace_scope scope(call.scratch);
    return backend<Memory>::template reduce_groups<T, Reduction>(
        call.execution, engine::row_problem{source.rows, target.rows, 1, 1},
        detail::adversarial_task<T, Memory>{source, target, out, source_factor, target_factor}, call.scratch);
  }
};

/// Share of samples, in percent, that a discriminator's logits put into the right domain: the mean of both domains' shares (50 = it cannot
/// tell).
template <matrix_like LS, matrix_like LT>
double domain_accuracy(const LS& logits_s, const LT& logits_t) {
  const auto source = const_view_of(logits_s), target = const_view_of(logits_t);
  const auto [right_s, right_t] = detail::right_sides("domain_accuracy", source, target);
  return 50 * (right_s / static_cast<double>(source.rows) + right_t / static_cast<double>(target.rows));
}

/// What a call of an adversarial loss gives: the loss (a graph's variable, or a number) and the discriminator's accuracy in percent.
template <class Loss>
struct adversarial_result {
  Loss loss;
  double accuracy;
};

/// DANN with the discriminator inside: features of both domains pass a gradient reversal with the schedule's coefficient and, as one batch,
/// the discriminator; its logits give domain_adversarial. Minimising it trains the discriminator and, through the reversal, confuses it.
///
/// `Discriminator` is anything that maps a graph value (n, F) to logits (n, 1), not to probabilities. The class works on every type with
/// graph_traits: Eigen matrices (value only), the tape of examples/autodiff, another framework's. The schedule advances once per call in
/// training mode, after use, as DALIB's does.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(6, 5), f_t = Eigen::MatrixXd::Random(4, 5);
/// const auto discriminator = [](const Eigen::MatrixXd& f) { return Eigen::MatrixXd(f.col(0)); };
/// domain_adversarial_loss loss{discriminator, warm_start_reversal{.alpha = 10}};
/// const adversarial_result<double> result = loss(f_s, f_t); // a tape's variables would be recorded
/// assert(result.loss == domain_adversarial{}(f_s.col(0).eval(), f_t.col(0).eval()));
/// assert(result.accuracy >= 0 && loss.reversal.iteration == 1);
/// @endcode
template <class Discriminator, reduction_policy Reduction = reduction::mean>
struct domain_adversarial_loss {
  Discriminator discriminator;
  warm_start_reversal reversal{};
  Reduction reduction{};

  template <class V>
  auto operator()(const V& features_s, const V& features_t) {
    using graph = graph_traits<V>;
    const index_t source_rows = graph::rows(features_s), target_rows = graph::rows(features_t);
    require_two_samples("domain_adversarial_loss", graph::view(features_s), graph::view(features_t));
    const V joint = graph::reverse(graph::concat_rows(features_s, features_t), reversal.coefficient());
    reversal.step();
    const V logits = discriminator(joint);
    require_shapes(graph::rows(logits) == source_rows + target_rows && graph::view(logits).cols == 1, "domain_adversarial_loss",
                   "the discriminator must give one logit per sample", graph::view(logits), graph::view(joint));
    const V logits_s = graph::slice_rows(logits, 0, source_rows);
    const V logits_t = graph::slice_rows(logits, source_rows, target_rows);
    auto loss = domain_adversarial<Reduction>{}(logits_s, logits_t);
    const double accuracy =
        with_graph_views([](const auto& source, const auto& target) { return domain_accuracy(source, target); }, logits_s, logits_t);
    return adversarial_result<decltype(loss)>{std::move(loss), accuracy};
  }
};

template <class Discriminator>
domain_adversarial_loss(Discriminator) -> domain_adversarial_loss<Discriminator>;
template <class Discriminator>
domain_adversarial_loss(Discriminator, warm_start_reversal) -> domain_adversarial_loss<Discriminator>;
template <class Discriminator, class Reduction>
domain_adversarial_loss(Discriminator, warm_start_reversal, Reduction) -> domain_adversarial_loss<Discriminator, Reduction>;

} // namespace dalib
