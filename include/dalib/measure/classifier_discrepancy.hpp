/// @file
/// The discrepancy of two classifiers, of MCD.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/host/rowwise.hpp"
#include "dalib/engine/row/softmax.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/measure/call.hpp"

#include <array>

namespace dalib {

/// What the class scores given to a measure are.
namespace scores {

/// Logits: softmax is fused into the measure, value and gradient.
struct logits {
  /// Whether a gradient with respect to the probabilities counts up to a constant: they sum to 1 whatever the scores are.
  static constexpr bool sum_to_one = true;
  template <class V>
  DALIB_HD static void to_probabilities(const engine::class_column<V>& column) {
    engine::softmax_in_place(column);
  }
  /// The same for two tensors' scores, and the differences of the probabilities.
  template <class V>
  DALIB_HD static void compare(const engine::class_column<V>& first, const engine::class_column<V>& second,
                               const engine::class_column<V>& difference) {
    engine::softmax_pair_in_place(first, second, difference);
  }
  /// Gradient with respect to the scores, in place of the probabilities; slope(c) is the gradient with respect to probability c.
  template <class V, class Slope>
  DALIB_HD static void pull(const engine::class_column<V>& p, const V& factor, const Slope& slope) {
    engine::pull_softmax(p, factor, slope);
  }
};

/// Probabilities: used as they are.
struct probabilities {
  static constexpr bool sum_to_one = false;
  template <class V>
  DALIB_HD static void to_probabilities(const engine::class_column<V>&) {}
  template <class V>
  DALIB_HD static void compare(const engine::class_column<V>& first, const engine::class_column<V>& second,
                               const engine::class_column<V>& difference) {
    for (index_t c = 0; c < first.classes; ++c) difference.set(c, first[c] - second[c]);
  }
  template <class V, class Slope>
  DALIB_HD static void pull(const engine::class_column<V>& p, const V& factor, const Slope& slope) {
    for (index_t c = 0; c < p.classes; ++c) p.set(c, factor * slope(c));
  }
};

} // namespace scores

namespace detail {

/// One register of rows, or one row, of the discrepancy of two classifiers.
template <bool Gradient, class T, class Memory, class Scores>
struct discrepancy_task {
  class_rows<const T, Memory> first, second;
  gradients<T, Memory> out;
  T factor;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p1 = scratch(0), p2 = scratch(1), difference = scratch(2);
    engine::load_rows(first, group.first, group.count, p1);
    engine::load_rows(second, group.first, group.count, p2);
    Scores::compare(p1, p2, difference);
    const V total = replace_by_signs(difference);
    if constexpr (Gradient) {
      const auto sign = [&](index_t c) { return difference[c]; };
      Scores::pull(p1, V(out.scale * factor), sign);
      Scores::pull(p2, V(-out.scale * factor), sign);
      engine::store_rows(p1, group.first, group.count, first.like(out.source), out.mode);
      engine::store_rows(p2, group.first, group.count, second.like(out.target), out.mode);
    }
    return V(factor) * total;
  }

private:
  /// Leaves the signs of the differences, if they are needed, and returns the sum of the absolute values.
  template <class V>
  DALIB_HD static V replace_by_signs(const engine::class_column<V>& differences) {
    using std::abs;
    V total = V(0);
    for (index_t c = 0; c < differences.classes; ++c) {
      const V d = differences[c];
      total = total + abs(d);
      if constexpr (Gradient) differences.set(c, where_greater(d, V(0), V(1), where_greater(V(0), d, V(-1), V(0))));
    }
    return total;
  }
};

} // namespace detail

/// Discrepancy of two classifiers on the same samples (MCD, Saito et al. 2018, eq. 2):
///
///     mean_i 1/C sum_c |p1_ic - p2_ic|,   p = softmax of the logits
///
/// Both are (n, C), or (n, C, d1, ..., dK) as xtensor tensors. With `scores::probabilities` the tensors hold p1 and p2. The gradient takes
/// the sign of 0 as 0. Differences of probabilities near 1 are found from the other classes', and those of classifiers that nearly agree
/// from their logits, so value and gradient are right for any finite logits. With reduction::none there is one value per row. One class has
/// discrepancy 0. O(n C).
///
/// `gradients{g1, g2}` are those of the first and of the second classifier.
/// @throws std::invalid_argument for empty tensors or different shapes; nothing has been written then. See `checked` for NaN.
///
/// @code{.cpp}
/// const Eigen::MatrixXd y1 = Eigen::MatrixXd::Random(8, 3), y2 = Eigen::MatrixXd::Random(8, 3);
/// auto [value, g1, g2] = value_and_gradient(classifier_discrepancy{}, y1, y2);
/// assert(std::abs(value - classifier_discrepancy{scores::logits{}}(y2, y1)) < 1e-15 && g1.rowwise().sum().norm() < 1e-14);
/// const Eigen::MatrixXd p1 = (Eigen::MatrixXd(1, 2) << 1, 0).finished(), p2 = (Eigen::MatrixXd(1, 2) << 0.25, 0.75).finished();
/// assert(classifier_discrepancy{scores::probabilities{}}(p1, p2) == 0.75);
/// @endcode
template <class Scores = scores::logits, reduction_policy Reduction = reduction::mean>
struct classifier_discrepancy : call_forms<classifier_discrepancy<Scores, Reduction>> {
  static constexpr const char* name = "classifier_discrepancy";
  static constexpr std::size_t arity = 2;
  static constexpr bool recordable = !Reduction::per_sample; // both inputs have the same rows
  static constexpr std::array<const char*, 2> argument_names = {"the first classifier's scores", "the second classifier's scores"};

  classifier_discrepancy() = default;
  explicit classifier_discrepancy(Scores, Reduction = {}) {}

  /// The operation that every form of call comes down to.
  template <class Call, class A, class B>
  auto evaluate(const Call& call, const A& first, const B& second) const {
    const auto out = call.template output<0>(no_gradients<value_type_of<A>, memory_of<A>>());
    return checked_types<Call>(call, out, first, second);
  }

private:
  template <class Call, class T, class Memory, class A, class B>
  reduced<T, Reduction> checked_types(const Call& call, const gradients<T, Memory>& out, const A& first, const B& second) const {
    using Exec = typename Call::execution_type;
    require_tensor_types<T, Memory, Exec, A, B>();
    return run<Call::wants_gradient, Exec, T, Memory>(call.execution, class_rows_of(first), class_rows_of(second), out, call.scratch);
  }
  template <bool Gradient, class Exec, class T, class Memory>
  reduced<T, Reduction> run(const Exec& exec, const class_rows<const T, Memory>& first, const class_rows<const T, Memory>& second,
                            const gradients<T, Memory>& out, workspace_of<Memory>& scratch) const {
    require_same_scores(name, first, second);
    require_gradient_shape(name, first.tensor, out.source);
    require_gradient_shape(name, second.tensor, out.target);
    require_apart(name, {first.tensor, second.tensor}, {out.source, out.target});
    const workspace_scope scope(scratch);
    const index_t classes = first.classes();
    const T factor = static_cast<T>(Reduction::factor(first.rows()) / static_cast<double>(classes));
    return backend<Memory>::template reduce_groups<T, Reduction>(
        exec, engine::row_problem{first.rows(), 0, 3, classes},
        detail::discrepancy_task<Gradient, T, Memory, Scores>{first, second, out, factor}, scratch);
  }
};

classifier_discrepancy()->classifier_discrepancy<>;
template <class Scores>
classifier_discrepancy(Scores) -> classifier_discrepancy<Scores>;
template <class Scores, class Reduction>
classifier_discrepancy(Scores, Reduction) -> classifier_discrepancy<Scores, Reduction>;

} // namespace dalib
