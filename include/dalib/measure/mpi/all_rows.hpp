/// @file
/// The rows of all ranks on each of them, for functions that are no measures.
#pragma once

#include "dalib/engine/mpi/agreement.hpp"
#include "dalib/engine/mpi/spread_rows.hpp"

#include <array>
#include <cstddef>

namespace dalib::detail {

/// Tensors of all ranks, each contiguous and one behind the other, in memory of its own. Collective.
template <class T, std::size_t Count>
class all_rows {
public:
  /// @throws refused_by_rank on all ranks if rows of a tensor have other features on one
  all_rows(const mpi_communicator& ranks, const char* name, const std::array<matrix_view<const T>, Count>& own) : rank_(ranks.rank()) {
    std::array<engine::tensor_note, Count> mine;
    for (std::size_t i = 0; i < Count; ++i) mine[i] = {own[i].rows, own[i].cols, own[i].rows, 0, 0};
    notes_ = engine::exchange(ranks, mine);
    for (const engine::tensor_notes& one : notes_) one.require_fitting(name);
    T* memory = nullptr;
    engine::agree(ranks, engine::outcome_of([&] {
                    index_t size = 0;
                    for (const engine::tensor_notes& one : notes_) size += one.total() * one.cols();
                    memory = memory_.allocate<T>(size);
                  }));
    for (std::size_t i = 0; i < Count; ++i) {
      views_[i] = matrix_view<const T>(memory, notes_[i].total(), notes_[i].cols());
      const workspace_mark mark(memory_);
      ranks.all_gather_rows(engine::contiguous_rows(own[i], memory_), own[i].cols, notes_[i].row_counts(), memory);
      memory += notes_[i].total() * notes_[i].cols();
    }
  }

  const matrix_view<const T>& operator[](std::size_t i) const { return views_[i]; }
  /// Rows of tensor i on the ranks before this one.
  index_t rows_before(std::size_t i) const { return notes_[i].rows_before(rank_); }

private:
  int rank_;
  workspace memory_;
  std::array<engine::tensor_notes, Count> notes_;
  std::array<matrix_view<const T>, Count> views_;
};

} // namespace dalib::detail
