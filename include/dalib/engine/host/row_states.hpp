/// @file
/// A state of every row, gathered over the rows it is paired with, on the host.
#pragma once

#include "dalib/engine/host/kept_tiles.hpp"

#include <algorithm>
#include <array>

namespace dalib::engine {

namespace detail {

/// One task for each block of rows; the other blocks follow in order, each row's state stays in a register per number while a tile's
/// columns pass by.
template <class State, class T, class Profile>
class row_state_pass {
  using tiles_type = kept_tiles<matrix_visitor, T, Profile>;
  static constexpr int numbers = State::numbers;

public:
  row_state_pass(const typename tiles_type::problem_type& problem, const State& state, const row_request<T>& request)
      : tiles_(problem), state_(state), request_(request), across_(request.pairs == pair_set::across) {}

  template <class Exec>
  void run(const Exec& exec, workspace& scratch) {
    const index_t owns = request_.out.rows;
    tiles_.prepare(exec, owns, 1, scratch);
    const index_t size = tiles_.block_rows() * numbers;
    T* memory = scratch.template allocate<T>(static_cast<index_t>(exec.workers()) * size);
    exec.run(tiles_.own_blocks(), [&](index_t own, int worker) {
      T* states = memory + worker * size;
      const index_t first = across_ ? tiles_.own_blocks() : 0;
      for (index_t other = first; other < tiles_.count(); ++other)
        add(tiles_.evaluate(worker, own, other)[0], own, other, states, other == first);
      finish(own, states);
    });
  }

private:
  using vector = pack<T>;

  void add(const T* tile, index_t own, index_t other, T* states, bool fresh) const {
    const packed_rows<T>&lanes = tiles_.rows(own), &columns = tiles_.rows(other);
    const index_t first = columns.first - (across_ ? request_.out.rows : 0), stride = tiles_.block_rows();
    const bool skips_own = request_.pairs == pair_set::distinct && own == other;
    for (index_t l = 0; l < lanes.padded; l += vector::size) {
      vector row[numbers];
      if (fresh)
        state_.start(row);
      else
        for (int k = 0; k < numbers; ++k) row[k] = vector::load(states + k * stride + l);
      for (index_t c = 0; c < columns.count; ++c) {
        const bool own_pair = skips_own && c >= l && c < l + vector::size;
        const std::array<T, numbers> before = own_pair ? lane_of(row, c - l) : std::array<T, numbers>{};
        state_.visit(row, vector::load(tile + c * stride + l), vector(request_.potential(first + c, 0)));
        if (own_pair) set_lane(row, c - l, before);
      }
      for (int k = 0; k < numbers; ++k) row[k].store(states + k * stride + l);
    }
  }

  static std::array<T, numbers> lane_of(const vector (&row)[numbers], index_t lane) {
    std::array<T, numbers> result;
    for (std::size_t k = 0; k < numbers; ++k) result[k] = row[k].lanes[lane];
    return result;
  }
  static void set_lane(vector (&row)[numbers], index_t lane, const std::array<T, numbers>& values) {
    for (std::size_t k = 0; k < numbers; ++k) row[k].lanes[lane] = values[k];
  }

  void finish(index_t own, const T* states) const {
    const packed_rows<T>& rows = tiles_.rows(own);
    for (index_t i = 0; i < rows.count; ++i) {
      T row[numbers];
      for (int k = 0; k < numbers; ++k) row[k] = states[k * tiles_.block_rows() + i];
      request_.out(rows.first + i, 0) = state_.result(row);
    }
  }

  tiles_type tiles_;
  const State& state_;
  const row_request<T>& request_;
  bool across_;
};

} // namespace detail

/// out(i) = what `state` gathers of row i; see engine/row_states.hpp.
template <class Exec, class State, class T, class Profile>
void row_states(const Exec& exec, const State& state, const layer<T, Profile>& one, const row_request<T>& request, workspace& scratch) {
  using problem_type = pair_problem<matrix_visitor, unit_coefficients, T, Profile>;
  const typename problem_type::centres_array no_centres{};
  const typename problem_type::layers_tuple layers{one};
  const matrix_visitor visitor;
  const unit_coefficients coefficients;
  const problem_type problem(visitor, coefficients, layers, no_centres, T(1));
  detail::row_state_pass<State, T, Profile>(problem, state, request).run(exec, scratch);
}

} // namespace dalib::engine
