/// @file
/// The rows that each rank brings, and copies of them.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/engine/mpi/agreement.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dalib::engine {

/// What a rank brings of each layer, and what all ranks say of it.
template <class T, std::size_t Layers>
struct ranked_input {
  std::array<sample<T>, Layers> source, target;
  std::array<tensor_notes, Layers> source_notes, target_notes;

  const sample<T>& of(bool source_domain, std::size_t layer) const { return (source_domain ? source : target)[layer]; }
  const tensor_notes& notes(bool source_domain, std::size_t layer) const { return (source_domain ? source_notes : target_notes)[layer]; }
};

/// Whether rows lie one behind the other without gaps.
template <class T>
bool is_contiguous(const matrix_view<T>& rows) {
  return rows.col_stride == 1 && rows.row_stride == rows.cols;
}
/// A rank's rows as contiguous memory: as they are, or a copy.
template <class T>
const T* contiguous_rows(const matrix_view<const T>& rows, workspace& scratch) {
  if (is_contiguous(rows)) return rows.data;
  T* copy = scratch.template allocate<T>(rows.rows * rows.cols);
  for (index_t i = 0; i < rows.rows; ++i)
    for (index_t f = 0; f < rows.cols; ++f) copy[i * rows.cols + f] = rows(i, f);
  return copy;
}

/// to = from, or to += from, in squares: one of them may lie by columns.
template <class From, class T>
void copy_rows(const matrix_view<From>& from, const matrix_view<T>& to, write_mode mode) {
  constexpr index_t side = 16;
  for (index_t i = 0; i < to.rows; i += side)
    for (index_t f = 0; f < to.cols; f += side)
      for (index_t row = i; row < std::min(i + side, to.rows); ++row)
        for (index_t col = f; col < std::min(f + side, to.cols); ++col)
          to(row, col) = mode == write_mode::accumulate ? to(row, col) + from(row, col) : from(row, col);
}
/// The same by an execution, some rows in a task.
template <class Exec, class From, class T>
void copy_rows(const Exec& exec, const matrix_view<From>& from, const matrix_view<T>& to, write_mode mode) {
  constexpr index_t run = 64;
  exec.run((to.rows + run - 1) / run, [&](index_t task, int) {
    const index_t first = task * run, count = std::min(run, to.rows - first);
    copy_rows(from.rows_from(first, count), to.rows_from(first, count), mode);
  });
}

/// Calls use(rank, place in the block, place in the rank's rows, count) for every rank that has rows of `count` rows of a domain from
/// `first` on, in the ranks' order.
template <class Use>
void for_each_owner(const tensor_notes& notes, index_t first, index_t count, const Use& use) {
  index_t begin = 0;
  for (std::size_t r = 0; r < notes.of_rank.size(); ++r) {
    const index_t end = begin + notes.of_rank[r].rows;
    const index_t from = std::max(first, begin), to = std::min(first + count, end);
    if (from < to) use(static_cast<int>(r), from - first, from - begin, to - from);
    begin = end;
  }
}

} // namespace dalib::engine
