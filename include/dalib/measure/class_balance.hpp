/// @file
/// The class-balance term of MCD.
#pragma once

#include "dalib/core/concepts.hpp"
#include "dalib/core/gradient.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace dalib {

namespace detail {

/// Leaves the probabilities of a register of rows in column 0.
template <class T, class Memory, class Scores>
struct probabilities_task {
  class_rows<const T, Memory> scores;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    engine::load_rows(scores, group.first, group.count, scratch(0));
    Scores::to_probabilities(scratch(0));
  }
};

/// Writes the gradient of a register of rows, given that with respect to each class's probability.
template <class T, class Memory, class Scores>
struct balance_gradient_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  const T* slopes;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    probabilities_task<T, Memory, Scores>{scores}(group, scratch);
    Scores::pull(p, V(out.scale), [&](index_t c) { return V(slopes[c]); });
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }
};

} // namespace detail

/// The term that MCD's code and DALIB call entropy:
///
///     -1/C sum_c log(1/n sum_i p_ic + offset),   p = softmax of the logits
///
/// It is no entropy but the cross-entropy of the uniform law with the mean prediction: it is smallest, log C, when all classes are
/// predicted equally often, and bounded by -log offset when some class is never predicted. Scores are (n, C), or (n, C, d1, ..., dK) as
/// xtensor tensors; with `scores::probabilities` they are p. Finite with a right gradient for any finite logits. One class gives -log(1 +
/// offset). O(n C).
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, or an offset that is not positive and finite.
///
/// @code{.cpp}
/// const Eigen::MatrixXd balanced = Eigen::MatrixXd::Zero(8, 4); // softmax 1/4 each
/// Eigen::MatrixXd g(8, 4);
/// const double value = class_balance{}.value_and_gradient(balanced, gradient{g});
/// assert(std::abs(value - std::log(4)) < 1e-5 && g.norm() < 1e-5); // the smallest value
/// const Eigen::MatrixXd p = Eigen::MatrixXd::Constant(8, 4, 0.25);
/// assert(std::abs(class_balance{scores::probabilities{}}(p) - value) < 1e-14);
/// @endcode
template <class Scores = scores::logits>
struct class_balance {
  static constexpr const char* name = "class_balance";
  static constexpr std::array<const char*, 1> argument_names = {"the scores"};

  double offset;

  /// @param away  `offset`: what the mean of a class is kept away from 0 by; 1e-6 as in MCD's code.
  explicit class_balance(Scores = {}, double away = 1e-6) : offset(away) {}

  /// The value only.
  template <class A>
  auto operator()(const A& scores) const {
    return (*this)(exec::default_for<memory_of<A>>{}, scores);
  }
  template <class Exec, class A>
  auto operator()(const Exec& exec, const A& scores) const {
    using T = value_type_of<A>;
    using Memory = memory_of<A>;
    require_tensor_types<T, Memory, Exec, A>();
    return run<false, Exec, T, Memory>(exec, class_rows_of(scores), gradient<T, Memory>{});
  }

  /// Value, and the gradient into the caller's memory.
  template <class A, class T, class Memory>
  T value_and_gradient(const A& scores, const gradient<T, Memory>& out) const {
    return value_and_gradient(exec::default_for<Memory>{}, scores, out);
  }
  template <class Exec, class A, class T, class Memory>
  T value_and_gradient(const Exec& exec, const A& scores, const gradient<T, Memory>& out) const {
    require_tensor_types<T, Memory, Exec, A>();
    return run<true, Exec, T, Memory>(exec, class_rows_of(scores), out);
  }

  /// On a tape: one node.
  template <graph_value V>
  auto operator()(const V& scores) const {
    using T = typename graph_traits<V>::scalar;
    return graph_traits<V>::record(std::array<V, 1>{scores},
                                   [&](const auto& value, const auto& out) { return value_and_gradient(value[0], gradient<T>{out[0]}); });
  }

private:
  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const class_rows<const T, Memory>& scores, const gradient<T, Memory>& out) const {
    using engine::sum_classes, engine::visit_groups, engine::copied_for; // other memories overload them
    require_same_scores(name, scores, scores);
    require_gradient_shape(name, scores.tensor, out.target);
    require_apart(name, {scores.tensor}, {out.target});
    if (!(offset > 0) || !is_finite(offset)) fail(name, "offset must be positive and finite (got " + std::to_string(offset) + ")");
    const index_t classes = scores.classes();
    const engine::row_problem problem{scores.rows(), 0, 1, classes};
    const std::vector<double> sums = sum_classes<T>(exec, problem, detail::probabilities_task<T, Memory, Scores>{scores});
    const double rows = static_cast<double>(scores.rows());
    double value = 0;
    std::vector<T> slopes(static_cast<std::size_t>(classes));
    for (std::size_t c = 0; c < slopes.size(); ++c) {
      const double mean = sums[c] / rows + offset;
      value -= std::log(mean) / static_cast<double>(classes);
      slopes[c] = static_cast<T>(-1 / (static_cast<double>(classes) * rows * mean));
    }
    if constexpr (Gradient)
      if (out.target.data) {
        workspace_of<Memory> memory;
        const T* readable = copied_for(exec, slopes.data(), classes, memory);
        visit_groups<T>(exec, problem, detail::balance_gradient_task<T, Memory, Scores>{scores, out, readable});
      }
    return static_cast<T>(value);
  }
};

class_balance()->class_balance<>;
template <class Scores>
class_balance(Scores) -> class_balance<Scores>;
template <class Scores>
class_balance(Scores, double) -> class_balance<Scores>;

} // namespace dalib
