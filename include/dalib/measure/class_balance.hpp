/// @file
/// The class-balance term of MCD.
#pragma once

#include "dalib/core/concepts.hpp"
#include "dalib/core/gradient.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"

#include <cmath>
#include <string>

namespace dalib {

/// The term that MCD's code and DALIB call entropy:
///
///     -1/C sum_c log(1/n sum_i p_ic + offset),   p = softmax of the logits
///
/// It is no entropy but the cross-entropy of the uniform law with the mean prediction: it is smallest, log C, when all classes are
/// predicted equally often, and bounded by -log offset when some class is never predicted. Scores are (n, C), or (n, C, d1, ..., dK) as
/// xtensor tensors; with `scores::probabilities` they are p. Finite with a right gradient for any finite logits. One class gives -log(1 +
/// offset). O(n C).
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, or an offset that is not positive and finite.
template <class Scores = scores::logits>
struct class_balance {
  static constexpr const char* name = "class_balance";
  static constexpr std::array<const char*, 1> argument_names = {"the scores"};

  double offset;

  /// @param offset  what the mean of a class is kept away from 0 by; 1e-6 as in MCD's code.
  explicit class_balance(Scores = {}, double offset = 1e-6) : offset(offset) {}

  /// The value only.
  template <class A>
  auto operator()(const A& scores) const {
    return (*this)(exec::default_policy{}, scores);
  }
  template <class Exec, class A>
  auto operator()(const Exec& exec, const A& scores) const {
    using T = value_type_of<A>;
    require_types<T, Exec, A>();
    return run<false, Exec, T>(exec, class_rows_of(scores), gradient<T>{});
  }

  /// Value, and the gradient into the caller's memory.
  template <class A, class T>
  T value_and_gradient(const A& scores, const gradient<T>& out) const {
    return value_and_gradient(exec::default_policy{}, scores, out);
  }
  template <class Exec, class A, class T>
  T value_and_gradient(const Exec& exec, const A& scores, const gradient<T>& out) const {
    require_types<T, Exec, A>();
    return run<true, Exec, T>(exec, class_rows_of(scores), out);
  }

  /// On a tape: one node.
  template <graph_value V>
  auto operator()(const V& scores) const {
    using T = typename graph_traits<V>::scalar;
    return graph_traits<V>::record(std::array<V, 1>{scores},
                                   [&](const auto& value, const auto& out) { return value_and_gradient(value[0], gradient<T>{out[0]}); });
  }

private:
  template <class T, class Exec, class A>
  static constexpr void require_types() {
    static_assert(execution_policy<Exec>, "dalib: the first argument must be an execution policy, such as dalib::exec::serial");
    require_scalar_types<T, A>();
  }

  /// Sum over the rows of each class's probability, added in an order that no thread count changes.
  template <class Exec, class T>
  static std::vector<double> class_sums(const Exec& exec, const class_rows<const T>& scores, const engine::row_groups& groups,
                                        const engine::column_scratch<T>& scratch) {
    const index classes = scores.classes(), per_task = engine::groups_per_task<T>(classes);
    const index tasks = (groups.count() + per_task - 1) / per_task;
    std::vector<double> sums(static_cast<std::size_t>(tasks * classes));
    exec.run(tasks, [&](index task, int worker) {
      const auto p = scratch(worker, 0);
      double* to = sums.data() + task * classes;
      for (index g = task * per_task; g < std::min(groups.count(), (task + 1) * per_task); ++g) {
        engine::load_rows(scores, groups[g].first, groups[g].count, p);
        Scores::to_probabilities(p);
        for (index c = 0; c < classes; ++c)
          for (index lane = 0; lane < groups[g].count; ++lane) to[c] += static_cast<double>(p.data[c * p.stride + lane]);
      }
    });
    for (index task = 1; task < tasks; ++task)
      for (index c = 0; c < classes; ++c) sums[static_cast<std::size_t>(c)] += sums[static_cast<std::size_t>(task * classes + c)];
    sums.resize(static_cast<std::size_t>(classes));
    return sums;
  }

  template <bool Gradient, class Exec, class T>
  T run(const Exec& exec, const class_rows<const T>& scores, const gradient<T>& out) const {
    require_same_scores(name, scores, scores);
    require_gradient_shape(name, scores.tensor, out.target);
    if (!(offset > 0) || !std::isfinite(offset)) fail(name, "offset must be positive and finite (got " + std::to_string(offset) + ")");
    const index classes = scores.classes();
    const engine::row_groups groups{scores.rows(), 0, simd_lanes<T>};
    workspace memory;
    const engine::column_scratch<T> scratch(memory, exec.workers(), 1, classes);
    const std::vector<double> sums = class_sums(exec, scores, groups, scratch);
    const double rows = static_cast<double>(scores.rows());
    double value = 0;
    T* slopes = memory.allocate<T>(classes);
    for (index c = 0; c < classes; ++c) {
      const double mean = sums[static_cast<std::size_t>(c)] / rows + offset;
      value -= std::log(mean) / static_cast<double>(classes);
      slopes[c] = static_cast<T>(-1 / (static_cast<double>(classes) * rows * mean));
    }
    if constexpr (Gradient)
      exec.run(out.target.data ? groups.count() : 0, [&](index g, int worker) {
        const auto p = scratch(worker, 0);
        engine::load_rows(scores, groups[g].first, groups[g].count, p);
        Scores::to_probabilities(p);
        Scores::pull(p, pack<T>(out.scale), [&](index c) { return pack<T>(slopes[c]); });
        engine::store_rows(p, groups[g].first, groups[g].count, scores.like(out.target), out.mode);
      });
    return static_cast<T>(value);
  }
};

class_balance()->class_balance<>;
template <class Scores>
class_balance(Scores) -> class_balance<Scores>;
template <class Scores>
class_balance(Scores, double) -> class_balance<Scores>;

} // namespace dalib
