/// @file
/// The losses of domain-symmetric networks: two classifiers whose logits are one softmax of 2 C classes.
#pragma once

#include "dalib/engine/row/against_rest.hpp"
#include "dalib/engine/row/entropy.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/reduction/reductions.hpp"

#include <array>
#include <cmath>

namespace dalib {

/// Which loss symmetric_classifiers is; P is the softmax of [a, b], A = sum_{c<C} P_c the share of the first classifier, B that of the
/// second.
enum class symmetric_loss {
  first,            ///< -log A: source rows in domain discrimination
  second,           ///< -log B: target rows in domain discrimination
  domain_confusion, ///< -(log A + log B) / 2
  entropy           ///< entropy of P_c + P_{C+c}
};

namespace detail {

/// A softmax over 2 C classes, C of each classifier, in parts.
template <class V>
struct split_prediction {
  engine::softmax_summary<V> first, second;
  engine::split_sigmoid<V> share; ///< of the first classifier; its complement is the second's
  V ratio;                        ///< log(A / B)

  /// -log A and -log B.
  DALIB_HD V missing_first() const { return log_part() + where_greater(ratio, V(0), V(0), -ratio); }
  DALIB_HD V missing_second() const { return log_part() + where_greater(ratio, V(0), ratio, V(0)); }

private:
  DALIB_HD V log_part() const {
    using std::log1p;
    return log1p(share.smaller);
  }
};

/// Softmax of each classifier in place of its logits, gaps beside, and how the two compare.
template <class V>
DALIB_HD split_prediction<V> split_softmaxes(const engine::class_column<V>& a, const engine::class_column<V>& gap_a,
                                             const engine::class_column<V>& b, const engine::class_column<V>& gap_b) {
  const auto between = engine::exact_difference(engine::largest_of(a), engine::largest_of(b));
  const auto first = engine::softmax_with_gaps(a, gap_a), second = engine::softmax_with_gaps(b, gap_b);
  const engine::split_number<V> ratio = engine::exact_difference(between.high, second.log_total - first.log_total);
  const engine::split_number<V> whole{ratio.high, ratio.low + between.low};
  return {first, second, engine::sigmoid_of(whole), whole.high};
}

template <symmetric_loss Loss, bool Gradient, class T, class Memory>
struct symmetric_task {
  class_rows<const T, Memory> first, second;
  gradients<T, Memory> out;
  T factor;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto a = scratch(0), b = scratch(1);
    engine::load_rows(first, group.first, group.count, a);
    engine::load_rows(second, group.first, group.count, b);
    V value;
    if constexpr (Loss == symmetric_loss::entropy)
      value = entropy(a, b, scratch(2), scratch(3));
    else
      value = domain(a, b, scratch(2), scratch(3));
    if constexpr (Gradient) {
      engine::store_rows(a, group.first, group.count, first.like(out.source), out.mode);
      engine::store_rows(b, group.first, group.count, second.like(out.target), out.mode);
    }
    return V(factor) * value;
  }

private:
  template <class V>
  using columns = engine::class_column<V>;

  template <class V>
  DALIB_HD V domain(const columns<V>& a, const columns<V>& b, const columns<V>& gap_a, const columns<V>& gap_b) const {
    const auto p = split_softmaxes(a, gap_a, b, gap_b);
    V value, slope; // with respect to log(A / B)
    if constexpr (Loss == symmetric_loss::first) {
      value = p.missing_first();
      slope = -p.share.complement;
    } else if constexpr (Loss == symmetric_loss::second) {
      value = p.missing_second();
      slope = p.share.sigmoid;
    } else {
      value = V(0.5) * (p.missing_first() + p.missing_second());
      slope = V(0.5) * (p.share.sigmoid - p.share.complement);
    }
    const V scale = V(out.scale * factor) * slope;
    for (index_t c = 0; c < a.classes; ++c) {
      a.set(c, scale * a[c]);
      b.set(c, -scale * b[c]);
    }
    return value;
  }

  /// z = log(e^a + e^b) has the softmax P_c + P_{C+c}; its slope with respect to a is sigmoid(a - b).
  template <class V>
  DALIB_HD V entropy(const columns<V>& a, const columns<V>& b, const columns<V>& z, const columns<V>& gap) const {
    using std::log1p;
    for (index_t c = 0; c < a.classes; ++c) {
      const auto share = engine::sigmoid_of(engine::exact_difference(a[c], b[c]));
      z.set(c, maximum(a[c], b[c]) + log1p(share.smaller));
      a.set(c, share.sigmoid);
      b.set(c, share.complement);
    }
    const auto summary = engine::softmax_with_gaps(z, gap);
    const V value = engine::entropy_of(z, gap, summary);
    engine::pull_relative_slopes(z, V(out.scale * factor), [&](index_t c) { return gap[c]; });
    for (index_t c = 0; c < a.classes; ++c) {
      a.set(c, a[c] * z[c]);
      b.set(c, b[c] * z[c]);
    }
    return value;
  }
};

template <bool Gradient, class T, class Memory>
struct category_confusion_task {
  class_rows<const T, Memory> first, second;
  gradients<T, Memory> out;
  T factor;
  const T* labels;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto a = scratch(0), b = scratch(1), gap_a = scratch(2), gap_b = scratch(3);
    engine::load_rows(first, group.first, group.count, a);
    engine::load_rows(second, group.first, group.count, b);
    const auto p = split_softmaxes(a, gap_a, b, gap_b);
    const V label = load_row_numbers<V>(labels, group.first, group.count), scale = V(out.scale * factor);
    V value = p.missing_first() + p.missing_second() + p.first.log_total + p.second.log_total;
    for (index_t c = 0; c < a.classes; ++c) {
      value = value + where_equal(V(c), label, gap_a[c] + gap_b[c], V(0));
      const V half = where_equal(V(c), label, V(0.5), V(0));
      a.set(c, scale * (p.share.sigmoid * a[c] - half));
      b.set(c, scale * (p.share.complement * b[c] - half));
    }
    if constexpr (Gradient) {
      engine::store_rows(a, group.first, group.count, first.like(out.source), out.mode);
      engine::store_rows(b, group.first, group.count, second.like(out.target), out.mode);
    }
    return V(T(0.5) * factor) * value;
  }
};

/// Types and checks of a measure of two classifiers' logits for the same rows. The measure offers `of_pair`.
template <class Measure>
struct classifier_pair_measure : call_forms<Measure> {
  static constexpr std::size_t arity = 2;
  static constexpr std::array<const char*, 2> argument_names = {"the first classifier's scores", "the second classifier's scores"};

  /// The operation that every form of call comes down to.
  template <class Call, class A, class B>
  auto evaluate(const Call& call, const A& first, const B& second) const {
    const auto out = call.template output<0>(no_gradients<value_type_of<A>, memory_of<A>>());
    return checked_pair<Call>(call, out, first, second);
  }

private:
  template <class Call, class T, class Memory, class A, class B>
  auto checked_pair(const Call& call, const gradients<T, Memory>& out, const A& first, const B& second) const {
    using Exec = typename Call::execution_type;
    require_tensor_types<T, Memory, Exec, A, B>();
    const class_rows<const T, Memory> a = class_rows_of(first), b = class_rows_of(second);
    require_same_scores(Measure::name, a, b);
    require_gradient_shape(Measure::name, a.tensor, out.source);
    require_gradient_shape(Measure::name, b.tensor, out.target);
    require_apart(Measure::name, {a.tensor, b.tensor}, {out.source, out.target});
    const workspace_scope scope(call.scratch);
    return static_cast<const Measure&>(*this).template of_pair<Call::wants_gradient>(call.execution, a, b, out, call.scratch);
  }
};

} // namespace detail

/// A loss of domain-symmetric networks (SymNets, Zhang et al. 2019) on the logits a, b of both classifiers for the rows of one domain, mean
/// over rows; see symmetric_loss. Domain discrimination (eq. 3) is `first` on the source plus `second` on the target; domain confusion is
/// eq. 6, the entropy eq. 7; the task loss is the cross-entropy of each classifier, and category confusion is symmetric_category_confusion.
///
/// Logits are (n, C) each, or (n, C, d1, ..., dK) as xtensor tensors. `gradients{g_a, g_b}` are those of the two classifiers. Right for any
/// finite logits. O(n C).
/// @throws std::invalid_argument for empty tensors or different shapes.
///
/// @code{.cpp}
/// const Eigen::MatrixXd a_s = Eigen::MatrixXd::Random(5, 3), b_s = Eigen::MatrixXd::Random(5, 3);
/// const Eigen::MatrixXd a_t = Eigen::MatrixXd::Random(4, 3), b_t = Eigen::MatrixXd::Random(4, 3);
/// const double discrimination =
///     symmetric_classifiers<symmetric_loss::first>{}(a_s, b_s) + symmetric_classifiers<symmetric_loss::second>{}(a_t, b_t);
/// const symmetric_classifiers<symmetric_loss::domain_confusion> confusion;
/// assert(discrimination > 0 && std::abs(confusion(a_t, a_t) - std::log(2)) < 1e-15); // both have half
/// @endcode
template <symmetric_loss Loss, reduction_policy Reduction = reduction::mean>
struct symmetric_classifiers : detail::classifier_pair_measure<symmetric_classifiers<Loss, Reduction>> {
  static constexpr const char* name = "symmetric_classifiers";
  static constexpr bool recordable = !Reduction::per_sample;

  template <bool Gradient, class Exec, class T, class Memory>
  reduced<T, Reduction> of_pair(const Exec& exec, const class_rows<const T, Memory>& a, const class_rows<const T, Memory>& b,
                                const gradients<T, Memory>& out, workspace_of<Memory>& scratch) const {
    return detail::reduce_rows<Reduction, T>(
        exec, a, 4,
        [&](T factor) {
          return detail::symmetric_task<Loss, Gradient, T, Memory>{a, b, out, factor};
        },
        scratch);
  }
};

/// Category confusion of SymNets (Zhang et al. 2019, eq. 5) on labelled source rows, P the softmax of [a, b]:
///
///     -mean_i (log P_i,label + log P_i,C+label) / 2
///
/// Shapes, cost and errors as symmetric_classifiers; labels, one for each row, are in 0 .. C - 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd a = Eigen::MatrixXd::Zero(2, 3), b = Eigen::MatrixXd::Zero(2, 3);
/// const std::vector<std::int64_t> labels = {2, 0};
/// assert(std::abs(symmetric_category_confusion{labels}(a, b) - std::log(6)) < 1e-15);
/// @endcode
struct symmetric_category_confusion : detail::classifier_pair_measure<symmetric_category_confusion> {
  static constexpr const char* name = "symmetric_category_confusion";

  label_span labels;

  explicit symmetric_category_confusion(label_span of_rows) : labels(of_rows) {}

  template <bool Gradient, class Exec, class T, class Memory>
  T of_pair(const Exec& exec, const class_rows<const T, Memory>& a, const class_rows<const T, Memory>& b, const gradients<T, Memory>& out,
            workspace_of<Memory>& scratch) const {
    detail::require_labels(name, labels, a.rows(), a.classes());
    return backend<Memory>::template reduce_groups<T, reduction::mean>(
        exec, engine::row_problem{a.rows(), 0, 4, a.classes()},
        detail::category_confusion_task<Gradient, T, Memory>{a, b, out, static_cast<T>(1 / static_cast<double>(a.rows())),
                                                             detail::labels_for<T, Memory>(exec, labels, scratch)},
        scratch);
  }
};

} // namespace dalib
