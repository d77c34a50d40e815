/// @file
/// The margin disparity discrepancy of MDD.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/against_rest.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/measure/call.hpp"

#include <array>
#include <cmath>
#include <string>

namespace dalib {

/// -log(1 - softmax_k) as a function of the logit of class k against all others: log(1 + e^logit), exact for any softmax. A term of this
/// kind may also take the logit as an engine::split_number, with what rounding took from it; then it is called so.
struct log_complement {
  /// With one class 1 - softmax is 0 by definition, and the term is left out.
  static constexpr bool needs_others = true;

  template <class V>
  DALIB_HD V operator()(const V& logit, V& slope) const {
    return binary_cross_entropy(logit, false, slope);
  }
  template <class V>
  DALIB_HD V operator()(const engine::split_number<V>& logit, V& slope) const {
    return engine::binary_cross_entropy(logit, false, slope);
  }
};

namespace detail {

/// One register of rows, or one row, of the margin disparity.
template <bool Gradient, class T, class Memory, class Term>
struct margin_task {
  using scores = class_rows<const T, Memory>;
  scores y_s, y_s_adv, y_t, y_t_adv;
  gradients<T, Memory> out;
  T source_factor;
  T target_factor;
  bool without_target;
  Term target_term;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const engine::class_column<V> column = scratch(0);
    engine::load_rows(group.is_source ? y_s : y_t, group.first, group.count, column);
    const V k = engine::top_class(column);
    engine::load_rows(group.is_source ? y_s_adv : y_t_adv, group.first, group.count, column);
    const auto against = engine::against_rest_in_place(column, k);
    V slope(0), loss(0);
    if (group.is_source) {
      loss = engine::binary_cross_entropy(against.logit, true, slope);
    } else if (!without_target) {
      if constexpr (requires { target_term(against.logit, slope); })
        loss = target_term(against.logit, slope);
      else
        loss = target_term(against.logit.high, slope);
    }
    const V factor = group.is_source ? source_factor : target_factor;
    if constexpr (Gradient) {
      engine::pull_against_rest(column, k, V(out.scale) * factor * slope, against.inverse);
      engine::store_rows(column, group.first, group.count, group.is_source ? y_s_adv.like(out.source) : y_t_adv.like(out.target), out.mode);
    }
    return factor * loss;
  }
};

} // namespace detail

/// Margin disparity between a classifier's logits y and an adversarial classifier's logits y' (MDD, Zhang et al. 2019, eq. 27-29, with the
/// sign of a minimisation by the adversarial classifier):
///
///     margin * mean_s(-log softmax_k(y'_s)) + mean_t(-log(1 - softmax_k(y'_t))),   k = argmax of y of the same sample
///
/// y_s, y'_s have shape (n_s, C), y_t, y'_t (n_t, C), or both (n, C, d1, ..., dK) as xtensor tensors; then every position counts as a
/// sample. Both terms are functions of one number, the logit a = y'_k - log sum_{c != k} e^{y'_c}: margin * softplus(-a) and softplus(a).
/// So value and gradient are finite and right for any finite logits. y enters through the argmax alone (the first one of several) and has
/// no gradient. With one class the target's term is left out: nobody can disagree. `compat::shifted_log_complement` as Term gives DALIB's
/// numbers.
///
/// With reduction::none there is one value per row, the n_s ones of the source (times margin) first. O((n_s + n_t) C).
/// @throws std::invalid_argument for empty tensors, shapes that do not fit, gradients of another shape than y', or a margin that is not
///         positive and finite; nothing has been written then. NaN and infinite logits are not looked for: see `checked`.
///
/// @code{.cpp}
/// const Eigen::MatrixXd y_s = Eigen::MatrixXd::Random(6, 3), a_s = Eigen::MatrixXd::Random(6, 3); // classifier, adversary
/// const Eigen::MatrixXd y_t = Eigen::MatrixXd::Random(4, 3), a_t = Eigen::MatrixXd::Random(4, 3);
/// Eigen::MatrixXd g_s(6, 3), g_t(4, 3);
/// const margin_disparity mdd{4.0};
/// const double value = mdd.value_and_gradient(y_s, a_s, y_t, a_t, gradients{g_s, g_t});
/// assert(value == mdd(y_s, a_s, y_t, a_t) && g_s.norm() > 0 && g_t.norm() > 0);
/// double slope;
/// assert(log_complement{}(0.0, slope) == std::log(2.0) && slope == 0.5); // -log(1 - 1/2)
/// @endcode
template <reduction_policy Reduction = reduction::mean, class Term = log_complement>
struct margin_disparity : call_forms<margin_disparity<Reduction, Term>> {
  static constexpr const char* name = "margin_disparity";
  static constexpr std::size_t arity = 4;
  using differentiable = std::index_sequence<1, 3>; // the adversarial classifier's scores
  static constexpr std::array<const char*, 4> argument_names = {"y_s", "y_s_adv", "y_t", "y_t_adv"};

  double margin;
  Term target_term;

  /// @param weight  `margin`: weight of the source's term; exp(rho) of the paper. DALIB's default is 4.
  explicit margin_disparity(double weight = 4, Reduction = {}, Term term = {}) : margin(weight), target_term(term) {}

  /// The operation that every form of call comes down to; gradients are those of y'_s and y'_t.
  template <class Call, class S, class SA, class TT, class TA>
  auto evaluate(const Call& call, const S& y_s, const SA& y_s_adv, const TT& y_t, const TA& y_t_adv) const {
    const auto out = call.template output<0>(no_gradients<value_type_of<SA>, memory_of<SA>>());
    return checked_types<Call>(call, out, y_s, y_s_adv, y_t, y_t_adv);
  }

private:
  template <class Call, class T, class Memory, class S, class SA, class TT, class TA>
  reduced<T, Reduction> checked_types(const Call& call, const gradients<T, Memory>& out, const S& y_s, const SA& y_s_adv, const TT& y_t,
                                      const TA& y_t_adv) const {
    require_tensor_types<T, Memory, typename Call::execution_type, S, SA, TT, TA>();
    return run<Call, T, Memory>(call, class_rows_of(y_s), class_rows_of(y_s_adv), class_rows_of(y_t), class_rows_of(y_t_adv), out);
  }
  template <class T, class Memory>
  void require_valid(const class_rows<const T, Memory>& y_s, const class_rows<const T, Memory>& y_s_adv,
                     const class_rows<const T, Memory>& y_t, const class_rows<const T, Memory>& y_t_adv,
                     const gradients<T, Memory>& out) const {
    require_same_scores(name, y_s, y_s_adv);
    require_same_scores(name, y_t, y_t_adv);
    require_shapes(y_s.classes() == y_t.classes(), name, "source and target must have the same number of classes", y_s.tensor, y_t.tensor);
    require_gradient_shape(name, y_s_adv.tensor, out.source);
    require_gradient_shape(name, y_t_adv.tensor, out.target);
    require_apart(name, {y_s.tensor, y_s_adv.tensor, y_t.tensor, y_t_adv.tensor}, {out.source, out.target});
    if (!(margin > 0) || !is_finite(margin)) fail(name, "margin must be positive and finite (got " + std::to_string(margin) + ")");
  }

  template <class Call, class T, class Memory>
  reduced<T, Reduction> run(const Call& call, const class_rows<const T, Memory>& y_s, const class_rows<const T, Memory>& y_s_adv,
                            const class_rows<const T, Memory>& y_t, const class_rows<const T, Memory>& y_t_adv,
                            const gradients<T, Memory>& out) const {
    require_valid(y_s, y_s_adv, y_t, y_t_adv, out);
    const index_t classes = y_s.classes();
    const T source_factor = static_cast<T>(margin * Reduction::factor(y_s.rows()));
    const T target_factor = static_cast<T>(Reduction::factor(y_t.rows()));
    const detail::margin_task<Call::wants_gradient, T, Memory, Term> task{
        y_s, y_s_adv, y_t, y_t_adv, out, source_factor, target_factor, Term::needs_others && classes == 1, target_term};
    const workspace_scope scope(call.scratch);
    return backend<Memory>::template reduce_groups<T, Reduction>(call.execution, engine::row_problem{y_s.rows(), y_t.rows(), 1, classes},
                                                                 task, call.scratch);
  }
};

margin_disparity()->margin_disparity<>;
margin_disparity(double)->margin_disparity<>;
template <class Reduction>
margin_disparity(double, Reduction) -> margin_disparity<Reduction>;
template <class Reduction, class Term>
margin_disparity(double, Reduction, Term) -> margin_disparity<Reduction, Term>;

} // namespace dalib
