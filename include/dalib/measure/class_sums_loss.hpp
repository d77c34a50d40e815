/// @file
/// Losses that are functions of sums over the rows, class by class: a pass for the sums, one for the gradient.
#pragma once

#include "dalib/engine/row/class_rows.hpp"
#include "dalib/measure/score_measure.hpp"

#include <type_traits>
#include <vector>

namespace dalib::detail {

/// `sums` leaves in its columns what is summed up over the rows. `value(sums, table)` gives the loss, and fills the table of `numbers`
/// doubles that the gradient needs. `slopes` writes the gradient; its last member is the table in T.
template <class SumsTask, class Value, class SlopesTask>
struct class_sums_loss {
  index_t columns; ///< of the sums' task; the slopes' has two
  index_t numbers;
  SumsTask sums;
  Value value;
  SlopesTask slopes;
};
template <class SumsTask, class Value, class SlopesTask>
class_sums_loss(index_t, index_t, SumsTask, Value, SlopesTask) -> class_sums_loss<SumsTask, Value, SlopesTask>;

/// Memory of the host for `count` numbers: of the scratch if it is the host's, else of `own`.
template <class Memory>
double* host_numbers(index_t count, workspace_of<Memory>& scratch, std::vector<double>& own) {
  if constexpr (std::is_same_v<Memory, host_memory>) {
    return scratch.template allocate<double>(count);
  } else {
    own.resize(static_cast<std::size_t>(count));
    return own.data();
  }
}

/// Value, and gradient, of such a loss of class scores.
template <bool Gradient, class T, class Exec, class Memory, class Loss>
T of_class_sums(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out, const Loss& loss,
                workspace_of<Memory>& scratch) {
  const auto sums =
      backend<Memory>::template sum_classes<T>(exec, engine::row_problem{rows.rows(), 0, loss.columns, rows.classes()}, loss.sums, scratch);
  std::vector<double> own;
  double* const table = host_numbers<Memory>(loss.numbers, scratch, own);
  const double value = loss.value(sums, table);
  if constexpr (Gradient)
    if (out.target.data) {
      auto slopes = loss.slopes;
      slopes.table = backend<Memory>::template filled_for<T>(
          exec, loss.numbers,
          [&](T* to) {
            for (index_t k = 0; k < loss.numbers; ++k) to[k] = static_cast<T>(table[k]);
          },
          scratch);
      backend<Memory>::template visit_groups<T>(exec, engine::row_problem{rows.rows(), 0, 2, rows.classes()}, slopes, scratch);
    }
  return static_cast<T>(value);
}

} // namespace dalib::detail
