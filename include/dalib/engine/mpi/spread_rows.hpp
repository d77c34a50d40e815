/// @file
/// The rows of all ranks, dealt to blocks that depend on their numbers alone, and what is known of the whole sample.
#pragma once

#include "dalib/engine/host/row_blocks.hpp"
#include "dalib/engine/mpi/row_owners.hpp"
#include "dalib/engine/sample/median_distance.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace dalib::engine {

/// The blocks of this rank, where they are before the first round and after the last. Memory: 2 n F / P numbers, and of the rank's own rows
/// a copy where they are not contiguous. All functions are collective.
template <class T, std::size_t Layers>
class spread_rows {
public:
  using block = row_block<T, Layers>;

  /// Draws its memory, and sends nothing yet.
  spread_rows(const mpi_communicator& ranks, const ranked_input<T, Layers>& input, bool with_gradient, workspace& scratch)
      : ranks_(ranks), input_(input), scratch_(scratch),
        deal_(block_deal::of(input.source_notes[0].total(), input.target_notes[0].total(), row_unit<T>, block_rows_limit)),
        plan_{deal_.blocks()} {
    layout_.capacity = deal_.most_rows;
    layout_.with_gradient = with_gradient;
    layout_.weighted = input.source_notes[0].weighted() || input.target_notes[0].weighted();
    for (std::size_t l = 0; l < Layers; ++l) layout_.features[l] = input.source_notes[l].cols();
    for (index_t b = 2 * first_column(); b < 2 * last_column(); ++b) blocks_.push_back(make_block(b));
    for (block& spare : spares_) spare = make_block(0);
    for (std::size_t l = 0; l < Layers; ++l) {
      const index_t size = sample_moments<T>::size(layout_.features[l]);
      references_[l] = scratch.template allocate_zero<T>(layout_.features[l]);
      totals_at_[l] = total_size_;
      total_size_ += 2 * size;
      for (std::size_t b = 0; b < blocks_.size(); ++b) parts_[l].push_back(scratch.template allocate<double>(size));
    }
    totals_ = scratch.template allocate_zero<double>(total_size_);
    for (std::size_t l = 0; l < Layers; ++l) merged_[l] = scratch.template allocate<double>(sample_moments<T>::size(layout_.features[l]));
    for (const bool source : {true, false})
      for (std::size_t l = 0; l < Layers; ++l) {
        const auto& rows = input.of(source, l).rows;
        if (!is_contiguous(rows) && ranks.size() > 1) copies_[source][l] = scratch.template allocate<T>(rows.rows * rows.cols);
        own_rows_[source][l] = is_contiguous(rows) ? rows.data : copies_[source][l];
      }
  }

  /// Brings every row to its block: its own ones itself, the others by messages.
  template <class Exec>
  void deal_rows(const Exec& exec) {
    mpi_requests messages(ranks_);
    for (block& one : blocks_)
      for (std::size_t l = 0; l < Layers; ++l) {
        const index_t number = number_of(one), features = layout_.features[l];
        for_each_owner(input_.notes(one.of_source, l), deal_.first(number), one.count,
                       [&](int owner, index_t place, index_t, index_t count) {
                         if (owner == ranks_.rank()) return;
                         messages.receive(one.rows(l).data + place * features, count * features, owner, tag(one.of_source, l));
                         if (layout_.weighted && l == 0) messages.receive(one.weights() + place, count, owner, tag(one.of_source, Layers));
                       });
      }
    for (const bool source : {true, false})
      for (std::size_t l = 0; l < Layers; ++l)
        if (T* const copy = copies_[source][l])
          copy_rows(exec, input_.of(source, l).rows, matrix_view<T>(copy, input_.of(source, l).rows.rows, layout_.features[l]),
                    write_mode::overwrite);
    for_each_own_part([&](const own_part& part) {
      if (part.holder == ranks_.rank()) return;
      const index_t features = layout_.features[part.layer];
      messages.send(own_rows_[part.of_source][part.layer] + part.first * features, part.count * features, part.holder,
                    tag(part.of_source, part.layer));
      if (layout_.weighted && part.layer == 0)
        messages.send(input_.of(part.of_source, 0).weights + part.first, part.count, part.holder, tag(part.of_source, Layers));
    });
    for_each_part_at_home(exec, [&](const own_part& part, const block& one) {
      const sample<T>& own = input_.of(part.of_source, part.layer);
      copy_rows(own.rows.rows_from(part.first, part.count), one.rows(part.layer).rows_from(part.place, part.count), write_mode::overwrite);
      if (layout_.weighted && part.layer == 0) std::copy_n(own.weights + part.first, part.count, one.weights() + part.place);
    });
    messages.wait();
  }

  /// Rows of weight 0 become copies of one that counts, and the moments of all rows are merged in the blocks' order. O(n F / P).
  template <class Exec>
  void find_moments(const Exec& exec) {
    find_references();
    exec.run(static_cast<index_t>(blocks_.size()), [&](index_t b, int) {
      const block& one = blocks_[static_cast<std::size_t>(b)];
      for (std::size_t l = 0; l < Layers; ++l) {
        for (index_t i = 0; layout_.weighted && i < one.count; ++i)
          if (one.weights()[i] == T(0)) std::copy_n(references_[l], layout_.features[l], &one.rows(l)(i, 0));
        part(b, l).add(one.as_sample(l));
      }
    });
    ranks_.pass_through(totals_, total_size_, [&] {
      for (std::size_t l = 0; l < Layers; ++l) {
        const index_t size = sample_moments<T>::size(layout_.features[l]);
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
          double* to = totals_ + totals_at_[l] + (blocks_[b].of_source ? 0 : size);
          for (index_t i = 0; i < size; ++i) to[i] += parts_[l][b][i];
        }
      }
    });
    for (std::size_t l = 0; l < Layers; ++l) {
      const index_t size = sample_moments<T>::size(layout_.features[l]);
      for (index_t i = 0; i < size; ++i) merged_[l][i] = totals_[totals_at_[l] + i] + totals_[totals_at_[l] + size + i];
    }
  }

  /// Of a layer's rows, all ranks' together. @param median_rows  see rows_for_median
  sample_summary<T> summary(std::size_t layer, const joint_sample<T>& median_rows) const {
    return {sample_moments<T>::of_numbers(layout_.features[layer], references_[layer], merged_[layer]), median_rows, scratch_};
  }

  sample_sizes sizes(const char* measure) const {
    const auto domain = [&](index_t place) {
      return sample_moments<T>::of_numbers(layout_.features[0], references_[0], totals_ + totals_at_[0] + place);
    };
    return sizes_of(domain(0), domain(sample_moments<T>::size(layout_.features[0])), layout_.weighted, measure);
  }

  /// The rows that the median rule looks at, on every rank: at most median_rows_limit.
  joint_sample<T> rows_for_median(std::size_t layer) const {
    const std::vector<index_t> source = input_.source_notes[layer].counted(), target = input_.target_notes[layer].counted();
    index_t counted = 0;
    for (const auto* domain : {&source, &target})
      for (const index_t rows : *domain) counted += rows;
    const index_t count = median_rows(counted);
    joint_sample<T> found;
    index_t before = 0, next = 0;
    for (const bool of_source : {true, false}) {
      std::vector<index_t> numbers(of_source ? source.size() : target.size());
      std::vector<index_t> mine; // places among this rank's counted rows
      for (std::size_t r = 0; r < numbers.size(); ++r) {
        const index_t rows = (of_source ? source : target)[r];
        for (; next < count && median_row(next, count, counted) < before + rows; ++next, ++numbers[r])
          if (static_cast<int>(r) == ranks_.rank()) mine.push_back(median_row(next, count, counted) - before);
        before += rows;
      }
      (of_source ? found.source : found.target) = gathered_rows(of_source, layer, mine, numbers);
    }
    return found;
  }

  /// Brings the blocks' gradients to the ranks that own the rows, which write or add them by `mode`.
  template <class Exec>
  void return_gradients(const Exec& exec, const std::array<matrix_view<T>, Layers>& source,
                        const std::array<matrix_view<T>, Layers>& target, write_mode mode) {
    const workspace_mark mark(scratch_);
    mpi_requests messages(ranks_);
    std::vector<std::pair<own_part, T*>> arrivals;
    for_each_own_part([&](const own_part& part) {
      if (part.holder == ranks_.rank()) return;
      const index_t size = part.count * layout_.features[part.layer];
      arrivals.emplace_back(part, scratch_.template allocate<T>(size));
      messages.receive(arrivals.back().second, size, part.holder, tag(part.of_source, part.layer));
    });
    for (const block& one : blocks_)
      for (std::size_t l = 0; l < Layers; ++l)
        for_each_owner(input_.notes(one.of_source, l), deal_.first(number_of(one)), one.count,
                       [&](int owner, index_t place, index_t, index_t count) {
                         const index_t features = layout_.features[l];
                         if (owner != ranks_.rank())
                           messages.send(one.gradient(l).data + place * features, count * features, owner, tag(one.of_source, l));
                       });
    const auto write = [&](const own_part& part, const matrix_view<T>& from) {
      const matrix_view<T>& to = (part.of_source ? source : target)[part.layer];
      if (to.data != nullptr) copy_rows(from, to.rows_from(part.first, part.count), mode);
    };
    for_each_part_at_home(
        exec, [&](const own_part& part, const block& one) { write(part, one.gradient(part.layer).rows_from(part.place, part.count)); });
    messages.wait();
    exec.run(static_cast<index_t>(arrivals.size()), [&](index_t i, int) {
      const auto& [part, numbers] = arrivals[static_cast<std::size_t>(i)];
      write(part, matrix_view<T>(numbers, part.count, layout_.features[part.layer]));
    });
  }

  const mpi_communicator& ranks() const { return ranks_; }
  const block_deal& deal() const { return deal_; }
  const travel_plan& plan() const { return plan_; }
  const block_layout<Layers>& layout() const { return layout_; }
  std::vector<block>& blocks() { return blocks_; }
  /// Memory for blocks that arrive from the left and from the right.
  std::array<block, 2>& spares() { return spares_; }
  index_t first_column() const { return plan_.first_column(ranks_.rank(), ranks_.size()); }
  index_t last_column() const { return plan_.first_column(ranks_.rank() + 1, ranks_.size()); }
  /// The rank on which a column of the table is.
  int rank_of_column(index_t column) const {
    int rank = static_cast<int>(column * ranks_.size() / plan_.columns());
    while (plan_.first_column(rank + 1, ranks_.size()) <= column) ++rank;
    while (plan_.first_column(rank, ranks_.size()) > column) --rank;
    return rank;
  }

private:
  block make_block(index_t number) const {
    return {layout_, scratch_.template allocate_zero<T>(layout_.size()), deal_.count(number), deal_.of_source(number)};
  }
  static int tag(bool source, std::size_t what) { return 2 * static_cast<int>(what) + (source ? 1 : 0) + 2; }
  index_t number_of(const block& one) const { return 2 * first_column() + (&one - blocks_.data()); }
  sample_moments<T> part(index_t b, std::size_t l) const {
    return {layout_.features[l], references_[l], parts_[l][static_cast<std::size_t>(b)]};
  }

  /// A run of this rank's rows that is in one block.
  struct own_part {
    bool of_source;
    std::size_t layer;
    int holder;    ///< the rank that has the block
    index_t block; ///< its number
    index_t place; ///< of the first row in the block
    index_t first; ///< of this rank's rows
    index_t count;
  };

  /// In the blocks' order.
  template <class Use>
  void for_each_own_part(const Use& use) const {
    for (index_t b = 0; b < deal_.blocks(); ++b)
      for (std::size_t l = 0; l < Layers; ++l)
        for_each_owner(input_.notes(deal_.of_source(b), l), deal_.first(b), deal_.count(b),
                       [&](int owner, index_t place, index_t first, index_t count) {
                         if (owner == ranks_.rank()) use(own_part{deal_.of_source(b), l, rank_of_column(b / 2), b, place, first, count});
                       });
  }

  /// Calls use(part, block) for this rank's rows in its own blocks, as tasks.
  template <class Exec, class Use>
  void for_each_part_at_home(const Exec& exec, const Use& use) const {
    std::vector<own_part> parts;
    for_each_own_part([&](const own_part& part) {
      if (part.holder == ranks_.rank()) parts.push_back(part);
    });
    exec.run(static_cast<index_t>(parts.size()), [&](index_t i, int) {
      const own_part& part = parts[static_cast<std::size_t>(i)];
      use(part, blocks_[static_cast<std::size_t>(part.block - 2 * first_column())]);
    });
  }

  /// The first row that counts is what moments are measured from.
  void find_references() {
    const auto first_of = [&](const block& one) {
      index_t i = 0;
      while (i < one.count && layout_.weighted && one.weights()[i] == T(0)) ++i;
      return i;
    };
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), [&](const block& one) { return first_of(one) < one.count; });
    const index_t which = ranks_.smallest(found == blocks_.end() ? deal_.blocks() : number_of(*found));
    if (which == deal_.blocks()) return; // no row counts: an estimator refuses that
    const int owner = rank_of_column(which / 2);
    for (std::size_t l = 0; l < Layers; ++l) {
      if (owner == ranks_.rank()) std::copy_n(&found->rows(l)(first_of(*found), 0), layout_.features[l], references_[l]);
      ranks_.broadcast(references_[l], layout_.features[l], owner);
    }
  }

  sample<T> gathered_rows(bool of_source, std::size_t layer, const std::vector<index_t>& mine, const std::vector<index_t>& numbers) const {
    const sample<T>& own = input_.of(of_source, layer);
    const index_t features = layout_.features[layer];
    index_t total = 0, place = 0, counted = 0;
    for (const index_t rows : numbers) total += rows;
    T* rows = scratch_.template allocate<T>(static_cast<index_t>(mine.size()) * features);
    T* weights = scratch_.template allocate<T>(static_cast<index_t>(mine.size()));
    for (index_t i = 0; i < own.rows.rows && place < static_cast<index_t>(mine.size()); ++i) {
      if (own.weights && own.weights[i] == T(0)) continue;
      if (counted++ != mine[static_cast<std::size_t>(place)]) continue;
      for (index_t f = 0; f < features; ++f) rows[place * features + f] = own.rows(i, f);
      weights[place++] = own.weights ? own.weights[i] : T(1);
    }
    T* all = scratch_.template allocate<T>(total * features);
    T* all_weights = layout_.weighted ? scratch_.template allocate<T>(total) : nullptr;
    ranks_.all_gather_rows(rows, features, numbers, all);
    if (layout_.weighted) ranks_.all_gather_rows(weights, 1, numbers, all_weights);
    return {matrix_view<const T>(all, total, features), all_weights};
  }

  const mpi_communicator& ranks_;
  const ranked_input<T, Layers>& input_;
  workspace& scratch_;
  block_deal deal_;
  travel_plan plan_;
  block_layout<Layers> layout_;
  std::vector<block> blocks_;
  std::array<block, 2> spares_;
  std::array<T*, Layers> references_{};
  std::array<std::vector<double*>, Layers> parts_; ///< moments of each block
  std::array<index_t, Layers> totals_at_{};
  index_t total_size_ = 0;
  double* totals_ = nullptr; ///< moments of both domains of each layer
  std::array<double*, Layers> merged_{};
  std::array<std::array<const T*, Layers>, 2> own_rows_{}; ///< contiguous; none where all rows stay here
  std::array<std::array<T*, Layers>, 2> copies_{};         ///< of rows that are not contiguous
};

} // namespace dalib::engine
