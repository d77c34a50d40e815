/// @file
/// What measures of one tensor of class scores share: types, checks at entry, and where the gradient goes.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/gradient.hpp"
#include "dalib/core/overlap.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/row/class_rows.hpp"
#include "dalib/measure/call.hpp"
#include "dalib/reduction/reductions.hpp"

#include <array>
#include <string>

namespace dalib {

/// @internal
/// Base of a measure of one tensor of class scores, (n, C), or (n, C, d1, ..., dK) as xtensor tensors. The measure offers
/// `of_scores<Gradient, T>(execution, class_rows, gradient, scratch)`, which is called when types and shapes are right; what it draws from
/// `scratch` is given back. A measure whose settings may be wrong says so in `require_settings()`.
template <class Measure>
struct score_measure : call_forms<Measure> {
  static constexpr std::size_t arity = 1;
  static constexpr std::array<const char*, 1> argument_names = {"the scores"};

  /// The operation that every form of call comes down to.
  template <class Call, class A>
  auto evaluate(const Call& call, const A& scores) const {
    const auto out = call.template output<0>(gradient<value_type_of<A>, memory_of<A>>{});
    return checked_scores<Call>(call, out, scores);
  }

private:
  template <class Call, class T, class Memory, class A>
  auto checked_scores(const Call& call, const gradient<T, Memory>& out, const A& scores) const {
    using Exec = typename Call::execution_type;
    require_tensor_types<T, Memory, Exec, A>();
    const class_rows<const T, Memory> rows = class_rows_of(scores);
    require_same_scores(Measure::name, rows, rows);
    require_gradient_shape(Measure::name, rows.tensor, out.target);
    require_apart(Measure::name, {rows.tensor}, {out.target});
    const auto& self = static_cast<const Measure&>(*this);
    if constexpr (requires { self.require_settings(); }) self.require_settings();
    const workspace_scope scope(call.scratch);
    return self.template of_scores<Call::wants_gradient, T>(call.execution, rows, out, call.scratch);
  }
};

namespace detail {
/// Mean, sum, or the values of the rows of a loss of each row by itself: `task_of(factor)` gives the task that multiplies a row's value,
/// and its gradient, by the factor. `columns` of classes are the task's.
template <class Reduction, class T, class Exec, class Memory, class TaskOf>
reduced<T, Reduction> reduce_rows(const Exec& exec, const class_rows<const T, Memory>& rows, index_t columns, const TaskOf& task_of,
                                  workspace_of<Memory>& scratch) {
  return backend<Memory>::template reduce_groups<T, Reduction>(exec, engine::row_problem{rows.rows(), 0, columns, rows.classes()},
                                                               task_of(static_cast<T>(Reduction::factor(rows.rows()))), scratch);
}

/// "what rule (got value)". In steps: of a chain of sums g++ 12 says falsely that it reads beyond a short string.
inline std::string refusal(const char* what, const char* rule, double value) {
  std::string text(what);
  text += rule;
  text += std::to_string(value);
  text += ")";
  return text;
}

/// Throws unless a setting is positive and finite.
inline void require_positive(const char* measure, const char* what, double value) {
  if (!(value > 0) || !is_finite(value)) fail(measure, refusal(what, " must be positive and finite (got ", value));
}
/// Throws unless a setting is 0 or positive, and finite.
inline void require_not_negative(const char* measure, const char* what, double value) {
  if (!(value >= 0) || !is_finite(value)) fail(measure, refusal(what, " must not be negative (got ", value));
}
} // namespace detail

} // namespace dalib
