/// @file
/// The tournament over ranks: blocks travel with their gradients, and every two meet once.
#pragma once

#include "dalib/engine/mpi/spread_rows.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib::engine {

/// Plays travel_plan on this rank's columns. In a round the columns at its borders are done first; their blocks are on their way while the
/// inner ones work. One tournament may be played after another on the same rows: gradients add up.
template <class Pairs, class Accumulator, class T, std::size_t Layers>
class travelling_pairs {
  using block = typename Pairs::block;
  using state = accumulated<Accumulator, typename Pairs::numbers>;
  static_assert(std::is_trivially_copyable_v<state>, "dalib: over ranks an accumulator's state must be trivially copyable: it is sent");
  static constexpr int to_right = 0, to_left = 1;

public:
  /// Draws all memory, so that nothing is refused once ranks wait for each other. @param threads  workers of the ranks' own policy
  travelling_pairs(spread_rows<T, Layers>& rows, const Pairs& pairs, int threads, workspace& scratch)
      : rows_(rows), pairs_(pairs), first_(rows.first_column()), last_(rows.last_column()),
        sums_(static_cast<std::size_t>(last_ - first_)) {
    for (const auto& own : rows.blocks()) table_.push_back(pairs.make_block(own, scratch));
    for (std::size_t i = 0; i < 2; ++i) arriving_[i] = pairs.make_block(rows.spares()[i], scratch);
    for (int w = 0; w < threads; ++w) workers_.push_back(pairs.make_worker(rows.layout(), scratch));
    next_table_ = table_;
    order_columns(threads);
  }

  /// What the visitor adds up over all pairs, on every rank.
  template <class Exec>
  typename Pairs::numbers play(const Exec& exec) {
    exec.run(columns(), [&](index_t c, int worker) {
      for (const bool lower : {false, true}) {
        block& own = table_[at({first_ + c, lower})];
        pairs_.pack(own);
        pairs_.within(workers_[static_cast<std::size_t>(worker)], own, sums_[static_cast<std::size_t>(c)]);
      }
    });
    for (index_t round = 0; round < rows_.plan().rounds(); ++round) play_round(exec, round);
    for (std::size_t b = 0; b < table_.size(); ++b) rows_.blocks()[b] = table_[b].data; // at home, maybe in other memory
    for (std::size_t i = 0; i < 2; ++i) rows_.spares()[i] = arriving_[i].data;
    state total{};
    rows_.ranks().pass_through(&total, 1, [&] {
      for (const state& own : sums_) total.merge(own);
    });
    return total.result();
  }

private:
  index_t columns() const { return last_ - first_; }
  std::size_t at(table_place place) const { return static_cast<std::size_t>(2 * (place.column - first_) + (place.lower ? 1 : 0)); }
  bool is_here(table_place place) const { return place.column >= first_ && place.column < last_; }

  /// First the columns at the borders to other ranks, and so many others that all threads have work; without borders all at once. The
  /// others are ordered so that threads that take them in turn have neighbouring ones each: blocks move to the next column after a round,
  /// and so a thread mostly finds rows that it wrote itself. The order changes no bit.
  void order_columns(int threads) {
    const bool has_left = first_ > 0, has_right = last_ < rows_.plan().columns();
    std::vector<index_t> others;
    for (index_t c = first_; c < last_; ++c)
      if ((has_left && c == first_) || (has_right && c == last_ - 1))
        order_.push_back(c);
      else
        others.push_back(c);
    const auto count = static_cast<index_t>(others.size());
    const index_t run = (count + threads - 1) / threads;
    for (index_t i = 0; i < run; ++i)
      for (index_t c = i; c < count; c += run) order_.push_back(others[static_cast<std::size_t>(c)]);
    early_ = has_left || has_right ? std::min<index_t>(columns(), std::max<index_t>(columns() - count, threads)) : columns();
  }

  void meet(index_t column, int worker) {
    pairs_.across(workers_[static_cast<std::size_t>(worker)], table_[at({column, false})], table_[at({column, true})],
                  sums_[static_cast<std::size_t>(column - first_)]);
  }

  template <class Exec>
  void play_round(const Exec& exec, index_t round) {
    if (columns() == 0) return;
    const travel_plan& plan = rows_.plan();
    const bool has_left = first_ > 0, has_right = last_ < plan.columns();
    const table_place right_leaver = last_ == 1 ? table_place{0, true} : table_place{last_ - 1, false}, left_leaver{first_, true};
    const int left = has_left ? rows_.rank_of_column(first_ - 1) : -1, right = has_right ? rows_.rank_of_column(last_) : -1;
    mpi_requests messages(rows_.ranks());
    const auto size = static_cast<index_t>(rows_.layout().size());
    if (has_left) messages.receive(arriving_[to_right].data.memory, size, left, to_right);
    if (has_right) messages.receive(arriving_[to_left].data.memory, size, right, to_left);
    exec.run(early_, [&](index_t i, int worker) { meet(order_[static_cast<std::size_t>(i)], worker); });
    if (has_right) messages.send(table_[at(right_leaver)].data.memory, size, right, to_right);
    if (has_left) messages.send(table_[at(left_leaver)].data.memory, size, left, to_left);
    exec.run(columns() - early_, [&](index_t i, int worker) {
      meet(order_[static_cast<std::size_t>(early_ + i)], worker);
      if (worker == 0) messages.advance(); // the calling thread's number
    });
    messages.wait();
    move(plan, round);
    if (has_left || has_right)
      exec.run(2, [&](index_t which, int) {
        if (which == to_right ? has_left : has_right) pairs_.pack(next_table_[arrived_at_[which]]);
      });
    std::swap(table_, next_table_);
  }

  /// Blocks change their places; the memory of those that left is free for the next ones.
  void move(const travel_plan& plan, index_t round) {
    std::vector<block> free_memory;
    for (index_t c = first_; c < last_; ++c)
      for (const bool lower : {false, true}) {
        if (!is_here(plan.next({c, lower}))) free_memory.push_back(table_[at({c, lower})]);
        const table_place from = plan.previous({c, lower});
        block& to = next_table_[at({c, lower})];
        if (is_here(from)) {
          to = table_[at(from)];
          continue;
        }
        const int way = from.column < first_ ? to_right : to_left;
        to = arriving_[way];
        const index_t number = plan.block_at(round + 1, {c, lower});
        to.data.count = rows_.deal().count(number);
        to.data.of_source = rows_.deal().of_source(number);
        arrived_at_[way] = at({c, lower});
        taken_[way] = true;
      }
    for (const int way : {to_right, to_left})
      if (std::exchange(taken_[way], false)) {
        arriving_[way] = free_memory.back();
        free_memory.pop_back();
      }
  }

  spread_rows<T, Layers>& rows_;
  const Pairs& pairs_;
  index_t first_, last_; ///< columns of this rank
  std::vector<state> sums_;
  std::vector<index_t> order_; ///< columns as they are done
  index_t early_ = 0;          ///< so many of them before anything is sent
  std::vector<block> table_, next_table_;
  block arriving_[2];
  std::size_t arrived_at_[2] = {};
  bool taken_[2] = {};
  std::vector<typename Pairs::worker> workers_;
};

} // namespace dalib::engine
