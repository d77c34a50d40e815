/// @file
/// Blocks of rows that can travel with their gradients, and all pairs of two of them: what a schedule over several machines is made of.
#pragma once

#include "dalib/engine/host/tile_worker.hpp"
#include "dalib/engine/pair/travel_plan.hpp"
#include "dalib/estimator/parts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <span>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// What lies where in a block's numbers: the layers' rows, their gradients, the rows' weights. The same for all blocks of a problem.
template <std::size_t Layers>
struct block_layout {
  index_t capacity = 0; ///< rows
  std::array<index_t, Layers> features{};
  bool with_gradient = false;
  bool weighted = false;

  index_t row_size() const {
    index_t sum = 0;
    for (const index_t count : features) sum += count;
    return sum;
  }
  /// Numbers in all.
  index_t size() const { return capacity * (row_size() * (with_gradient ? 2 : 1) + (weighted ? 1 : 0)); }
  index_t rows_at(std::size_t layer) const {
    index_t before = 0;
    for (std::size_t l = 0; l < layer; ++l) before += features[l];
    return capacity * before;
  }
  index_t gradient_at(std::size_t layer) const { return capacity * row_size() + rows_at(layer); }
  index_t weights_at() const { return capacity * row_size() * (with_gradient ? 2 : 1); }
};

/// Rows of one domain with the gradients that they have so far, in one piece of memory: `numbers()` is all that travels. Which block it is,
/// its schedule knows.
template <class T, std::size_t Layers>
struct row_block {
  block_layout<Layers> layout;
  T* memory = nullptr;
  index_t count = 0;
  bool of_source = true;

  std::span<T> numbers() const { return {memory, static_cast<std::size_t>(layout.size())}; }
  matrix_view<T> rows(std::size_t layer) const { return {memory + layout.rows_at(layer), count, layout.features[layer]}; }
  /// Without data where none is made.
  matrix_view<T> gradient(std::size_t layer) const {
    if (!layout.with_gradient) return {};
    return {memory + layout.gradient_at(layer), count, layout.features[layer]};
  }
  T* weights() const { return layout.weighted ? memory + layout.weights_at() : nullptr; }
  sample<T> as_sample(std::size_t layer) const { return {rows(layer), weights()}; }
};

/// Coefficients of a two-sample estimator for the pairs of one block or of two.
template <class T>
struct block_coefficients {
  struct side {
    index_t count = 0;
    bool of_source = true;
    const T* weights = nullptr;

    double weight(index_t row) const { return weights ? static_cast<double>(weights[row]) : 1.0; }
  };
  pair_coefficients pairs;
  side first, second; ///< rows [0, first.count) and those behind them

  /// out[l] = c(first row + l, row), for rows of one side.
  void fill(index_t first_row, index_t count, index_t row, T* out) const {
    const bool other_is_first = first_row < first.count, own_is_first = row < first.count;
    const side &others = other_is_first ? first : second, &owns = own_is_first ? first : second;
    const index_t other = other_is_first ? first_row : first_row - first.count, own = own_is_first ? row : row - first.count;
    const double within = owns.of_source ? pairs.within_source : pairs.within_target;
    const double weight = owns.weight(own), factor = weight * (owns.of_source == others.of_source ? within : pairs.across);
    std::fill_n(out, count, static_cast<T>(factor));
    if (others.weights)
      for (index_t l = 0; l < count; ++l) out[l] *= others.weights[other + l];
    if (pairs.distinct && row >= first_row && row < first_row + count) out[row - first_row] = static_cast<T>(factor * (weight - 1));
  }
};

/// Does all pairs of the rows of a block, and all of two blocks: shows them to `visitor`, and adds what they pull to both blocks'
/// gradients. Whoever calls it says which blocks meet and in which order; with travel_plan every two meet once. Calls for different blocks,
/// each with a worker of its own, may run at the same time. Rows are measured from the mean, also where they are clustered (row_centres.hpp
/// needs all rows at once): close pairs are found one by one then, with the same accuracy.
///
/// @code{.cpp}
/// const engine::block_pairs pairs(engine::value_and_gradient_visitor{}, coefficients, layers, scale); // layers: kernels and where the
/// mean lies auto a = pairs.make_block(layout, scratch), b = pairs.make_block(layout, scratch); auto worker = pairs.make_worker(layout,
/// scratch);
/// // fill a.rows ..., then
/// pairs.pack(a), pairs.pack(b);
/// engine::accumulated<accumulator::plain, decltype(pairs)::numbers> sum;
/// pairs.within(worker, a, sum), pairs.within(worker, b, sum), pairs.across(worker, a, b, sum);
/// @endcode
template <class Visitor, class T, class... Profiles>
class block_pairs {
  using problem_type = pair_problem<Visitor, block_coefficients<T>, T, Profiles...>;
  using layers_tuple = std::tuple<layer<T, Profiles>...>;
  using side = typename block_coefficients<T>::side;

public:
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  using numbers = typename problem_type::numbers;
  using worker = tile_worker<problem_type>;

  /// A block and its rows in the layouts that the tiles read, which do not travel.
  struct block {
    row_block<T, layer_count> data;
    typename problem_type::blocks packed;
  };

  /// @param layers  profiles and summaries of the whole sample; their data and gradients are not looked at
  block_pairs(const Visitor& visitor, const pair_coefficients& coefficients, const layers_tuple& layers, T scale)
      : visitor_(visitor), coefficients_(coefficients), layers_(layers), scale_(scale) {}

  /// Memory for a block: O(capacity sum F).
  block make_block(const block_layout<layer_count>& layout, workspace& scratch) const {
    return make_block(row_block<T, layer_count>{layout, scratch.template allocate_zero<T>(layout.size())}, scratch);
  }
  /// The same around numbers that are there.
  block make_block(const row_block<T, layer_count>& data, workspace& scratch) const {
    block made{data, {}};
    for (std::size_t l = 0; l < layer_count; ++l) made.packed[l].allocate(scratch, data.layout.capacity, data.layout.features[l]);
    return made;
  }

  /// Memory for tiles: O(capacity^2 + capacity F).
  worker make_worker(const block_layout<layer_count>& layout, workspace& scratch) const {
    worker made;
    index_t widest = 0;
    for (const index_t features : layout.features) widest = std::max(widest, padded_features<T>(features));
    made.allocate(scratch, round_up(layout.capacity, row_unit<T>), widest);
    return made;
  }

  /// After a block's rows were written or have arrived, and before it meets others. O(rows sum F).
  void pack(block& one) const {
    for (packed_rows<T>& rows : one.packed) rows.assign(0, one.data.count);
    with_problem(one, nullptr, [&](const problem_type& problem) {
      for (index_t panel = 0; panel < one.packed[0].panel_count(); ++panel) problem.pack(one.packed, panel);
    });
  }

  /// All ordered pairs of the rows of a block. O(rows^2 sum F).
  template <class State>
  void within(worker& own, const block& one, State& value) const {
    if (one.data.count == 0) return;
    with_problem(one, nullptr, [&](const problem_type& problem) { own.within(problem, one.packed, value, write_mode::accumulate); });
  }

  /// All pairs of a row of one block and a row of the other, in both orders. O(rows rows sum F).
  template <class State>
  void across(worker& own, const block& upper, const block& lower, State& value) const {
    if (upper.data.count == 0 || lower.data.count == 0) return;
    with_problem(upper, &lower, [&](const problem_type& problem) {
      typename problem_type::blocks behind = lower.packed;
      for (packed_rows<T>& rows : behind) rows.first = upper.data.count; // in the sample of the two
      own.across(problem, upper.packed, behind, value);
    });
  }

private:
  static side side_of(const row_block<T, layer_count>& one) { return {one.count, one.of_source, one.weights()}; }

  /// Calls use(problem) for the sample whose first domain is one block and whose second another, or nothing.
  template <class Use>
  void with_problem(const block& one, const block* other, const Use& use) const {
    const block_coefficients<T> coefficients{coefficients_, side_of(one.data), other ? side_of(other->data) : side{}};
    const auto layers = [&]<std::size_t... L>(std::index_sequence<L...>) {
      return layers_tuple{layer_of(std::get<L>(layers_), L, one.data, other)...};
    }
    (std::index_sequence_for<Profiles...>{});
    const typename problem_type::centres_array centres{};
    use(problem_type(visitor_, coefficients, layers, centres, scale_));
  }

  template <class Profile>
  static layer<T, Profile> layer_of(layer<T, Profile> of, std::size_t which, const row_block<T, layer_count>& one, const block* other) {
    of.data = {one.as_sample(which), {matrix_view<const T>(one.memory, 0, one.layout.features[which]), nullptr}};
    of.source_gradient = one.gradient(which);
    of.target_gradient = {};
    if (other != nullptr) {
      of.data.target = other->data.as_sample(which);
      of.target_gradient = other->data.gradient(which);
    }
    return of;
  }

  Visitor visitor_;
  pair_coefficients coefficients_;
  layers_tuple layers_;
  T scale_;
};

/// What an estimator asks for, of two domains' merged moments.
template <class T>
sample_sizes sizes_of(const sample_moments<T>& source, const sample_moments<T>& target, bool has_weights, const char* measure) {
  return {source.rows(), target.rows(), source.weight(), target.weight(), has_weights, source.features(), measure};
}

} // namespace dalib::engine
