/// @file
/// The pairwise engine on a device: tiles of pairs, one after another, each with all of the device.
///
/// Memory beyond the inputs and outputs: two copies of the rows (centred rows, and their gradients), and one tile of at most
/// tile_bytes_limit. Nothing is written to the caller's gradients before everything is known.
#pragma once

#include "dalib/engine/sample/round_up.hpp"
#include "dalib/engine/thrust/products.hpp"
#include "dalib/engine/thrust/tile_tasks.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

namespace dalib::engine {

/// All layers' tiles together take at most this memory, however many rows there are.
inline constexpr index_t tile_bytes_limit = index_t{128} << 20;
/// Rows of a tile's side: at most this many, and at least so many that a device is busy.
inline constexpr index_t device_rows_limit = 5632, device_rows_least = 1024;

/// The inner products of a tile's pairs, as a product.
template <class T>
stored_product<T> product_of_rows(const device_rows<T>& rows, const device_block& block, T* gram) {
  return {.rows = block.lanes,
          .cols = block.columns,
          .depth = rows.features,
          .a = {rows.row(block.first_lane), rows.features, true},
          .b = {rows.row(block.first_column), rows.features},
          .c = gram,
          .stride = block.lanes};
}

template <class Visitor, class Accumulator, class Coefficients, class T, class... Profiles>
class device_pairwise {
  static constexpr bool with_gradient = visitor_pulls<Visitor>;
  using layer_indices = std::index_sequence_for<Profiles...>;
  using layers_tuple = std::tuple<layer<T, Profiles, device_memory>...>;
  using pass_type = detail::device_pass<Visitor, Accumulator, Coefficients, device_layer<T, Profiles>...>;
  using partial = typename pass_type::partial;
  template <template <class, class, class...> class Task>
  using task_of = Task<pass_type, layer_indices, device_layer<T, Profiles>...>;

public:
  device_pairwise(const exec::thrust& exec, const Visitor& visitor, const Coefficients& coefficients, const layers_tuple& layers,
                  device_workspace& scratch)
      : exec_(exec), visitor_(visitor), coefficients_(coefficients), scratch_(scratch), rows_(std::get<0>(layers).data.rows()),
        block_(block_rows()), layers_(all_layers(layer_indices{}, layers)) {
    values_ = scratch.template allocate<partial>(tasks_limit());
    spare_ = scratch.template allocate<partial>(tasks_limit() / detail::merge_task<partial>::run + 1);
    ones_ = scratch.template allocate<T>(block_);
    exec.run(block_, detail::ones_task<T>{ones_});
  }

  visited_numbers<Visitor> run(gradient_rule<T> rule) {
    const std::vector<device_block> blocks = all_blocks();
    constexpr index_t kept = detail::merge_task<partial>::run;
    // One run of partial values stays of every tile, so that the host waits once and not for each tile.
    partial* rests = scratch_.template allocate<partial>(static_cast<index_t>(blocks.size()) * kept);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      evaluate(blocks[b], rests + static_cast<index_t>(b) * kept);
      if constexpr (with_gradient) for_each_layer([&](auto l) { pull<l>(blocks[b]); });
    }
    std::vector<partial> values(blocks.size() * static_cast<std::size_t>(kept));
    exec_.copy_to_host(rests, static_cast<index_t>(values.size()), values.data());
    partial total{};
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      partial of_tile{};
      for (std::size_t i = 0; i < static_cast<std::size_t>(kept); ++i) of_tile.merge(values[b * static_cast<std::size_t>(kept) + i]);
      if (of_tile.left_out) of_tile.merge(close_pairs(blocks[b]));
      total.merge(of_tile);
    }
    if constexpr (with_gradient) // each unordered pair stands twice in the sum
      for_each_layer([&](auto l) {
        using task = detail::write_gradient_task<device_layer<T, profile_of<l>>>;
        exec_.run(rows_ * at<l>(layers_).rows.features, task{at<l>(layers_), 2 * rule.scale, rule.mode == write_mode::accumulate});
      });
    return total.sum.result();
  }

private:
  template <std::size_t L>
  using profile_of = std::tuple_element_t<L, std::tuple<Profiles...>>;

  template <class F>
  static void for_each_layer(F&& f) {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

  /// Entries of all layers' tiles that a pair has.
  static constexpr index_t entries_of_pair() {
    return ((reads<Profiles>::gram + reads<Profiles>::added + reads<Profiles>::gram_beside_distance + reads<Profiles>::shift) + ...);
  }

  /// Two blocks where they fit: more would save some of the diagonal tiles' second halves, but on an H200 every tile costs its dozen launches,
  /// and products of few rows leave it half idle.
  index_t block_rows() const {
    const auto limit =
        static_cast<index_t>(std::sqrt(static_cast<double>(tile_bytes_limit) / static_cast<double>(entries_of_pair() * sizeof(T))));
    const index_t most = std::min(device_rows_limit, limit / 128 * 128);
    return std::min(std::clamp(round_up((rows_ + 1) / 2, 128), device_rows_least, most), rows_);
  }

  std::vector<device_block> all_blocks() const {
    std::vector<device_block> result;
    constexpr bool across = only_across<Coefficients>;
    const index_t owns = across ? at<0>(layers_).data.source_rows() : rows_;
    for (index_t lane = 0; lane < owns; lane += block_)
      for (index_t column = across ? owns : lane; column < rows_; column += block_)
        result.push_back({lane, std::min(block_, owns - lane), column, std::min(block_, rows_ - column)});
    return result;
  }

  /// Columns that one thread visits: few enough that 1024 lanes and more keep a device busy, and at most 64 runs of them, since a lane's
  /// runs are added by one thread.
  index_t columns_per_task() const { return std::max<index_t>(4, (block_ + 63) / 64); }
  index_t runs_of(const device_block& block) const { return (block.columns + columns_per_task() - 1) / columns_per_task(); }
  index_t tasks_limit() const { return block_ * ((block_ + columns_per_task() - 1) / columns_per_task()); }

  template <std::size_t... L>
  slots<device_layer<T, Profiles>...> all_layers(std::index_sequence<L...>, const layers_tuple& from) {
    return {{prepared(std::get<L>(from))}...};
  }
  template <class profile>
  device_layer<T, profile> prepared(const layer<T, profile, device_memory>& from) {
    device_layer<T, profile> one{from.profile, from.data, from.source_gradient, from.target_gradient, from.origin().mean, {}, {}, nullptr,
                                 nullptr,      nullptr};
    const auto entries = [&] { return scratch_.template allocate<T>(block_ * block_); };
    if (reads<profile>::gram) one.tile.gram = entries();
    if constexpr (with_gradient) {
      if (reads<profile>::added) one.tile.added = entries();
      one.gradient = cleared(rows_ * from.data.features());
      if (reads<profile>::gram) {
        one.self = cleared(rows_);
        one.tile.lane_self = scratch_.template allocate<T>(tasks_limit());
        if (reads<profile>::gram_beside_distance) one.tile.self = entries();
      }
      if (reads<profile>::shift) {
        one.shift = cleared(rows_);
        one.tile.lane_shift = scratch_.template allocate<T>(tasks_limit());
        one.tile.shift = entries();
      }
    }
    one.rows = rows_from(exec_, from, from.origin(), scratch_);
    return one;
  }
  T* cleared(index_t count) {
    T* result = scratch_.template allocate<T>(count);
    exec_.clear(result, count);
    return result;
  }

  pass_type pass_of(const device_block& block) const { return {visitor_, coefficients_, layers_, block, {}}; }

  void multiply_all(const device_block& block) {
    for_each_layer([&](auto l) {
      if constexpr (reads<profile_of<l>>::gram) {
        const device_rows<T>& rows = at<l>(layers_).rows;
        device_product(exec_, product_of_rows(rows, block, at<l>(layers_).tile.gram));
      }
    });
  }

  /// Statistics, kernels and value of a tile; merges its values and leaves the last of them at `rest`.
  void evaluate(const device_block& block, partial* rest) {
    multiply_all(block);
    const index_t tasks = block.lanes * runs_of(block);
    exec_.run(tasks, task_of<detail::evaluate_task>{pass_of(block), columns_per_task(), values_});
    const auto [left, count] = merge_runs(exec_, values_, spare_, tasks);
    exec_.run(detail::merge_task<partial>::run, detail::keep_task<partial>{left, count, rest});
  }

  partial close_pairs(const device_block& block) {
    multiply_all(block);
    exec_.run(block.lanes, task_of<detail::close_task>{pass_of(block), false, values_});
    if (with_gradient && !block.diagonal()) exec_.run(block.columns, task_of<detail::close_task>{pass_of(block), true, nullptr});
    partial result = merged_on_host(exec_, values_, spare_, block.lanes);
    result.left_out = 0;
    return result;
  }

  /// Whether layer L's gradient of any of these rows is wanted.
  template <std::size_t L>
  bool wanted(index_t first, index_t count) const {
    const auto& one = at<L>(layers_);
    return (one.data.is_source(first) && one.source_gradient.data) || (!one.data.is_source(first + count - 1) && one.target_gradient.data);
  }

  /// Pulls the tile's lanes towards its columns and, off the diagonal, its columns towards its lanes.
  template <std::size_t L>
  void pull(const device_block& block) {
    if (wanted<L>(block.first_lane, block.lanes)) pull_rows<L>(block, false);
    if (!block.diagonal() && wanted<L>(block.first_column, block.columns)) pull_rows<L>(block, true);
  }
  template <std::size_t L>
  void pull_rows(const device_block& block, bool of_columns) {
    using profile = profile_of<L>;
    const device_layer<T, profile>& one = at<L>(layers_);
    const index_t features = one.rows.features;
    const index_t own_first = of_columns ? block.first_column : block.first_lane, own = of_columns ? block.columns : block.lanes;
    const index_t other_first = of_columns ? block.first_lane : block.first_column, others = of_columns ? block.lanes : block.columns;
    // gradient^T (features x own) += rows^T (features x others) * tile (others x own)
    if constexpr (reads<profile>::gram)
      device_product(exec_, stored_product<T>{.rows = features,
                                              .cols = own,
                                              .depth = others,
                                              .a = {one.rows.row(other_first), features},
                                              .b = {one.tile.gram, block.lanes, !of_columns},
                                              .c = one.gradient + own_first * features,
                                              .stride = features,
                                              .scale = {T(1), T(1)}});
    if constexpr (reads<profile>::gram) {
      if (of_columns)
        add_column_sums<L>(block);
      else
        add_lane_sums<L>(block);
    }
    if constexpr (reads<profile>::added)
      exec_.run(own * features, detail::additive_pull_task<typename reads<profile>::additive, T>{
                                    one.rows, one.tile.added, own_first, of_columns ? block.lanes : 1, other_first,
                                    of_columns ? 1 : block.lanes, others, one.gradient});
  }

  template <std::size_t L>
  void add_lane_sums(const device_block& block) {
    const device_layer<T, profile_of<L>>& one = at<L>(layers_);
    const auto add = [&](const T* from, T* to) {
      exec_.run(block.lanes, detail::add_runs_task<T>{from, block.lanes, runs_of(block), to + block.first_lane});
    };
    add(one.tile.lane_self, one.self);
    if constexpr (reads<profile_of<L>>::shift) add(one.tile.lane_shift, one.shift);
  }
  template <std::size_t L>
  void add_column_sums(const device_block& block) {
    const device_layer<T, profile_of<L>>& one = at<L>(layers_);
    const auto add = [&](const T* entries, T factor, T* to) {
      device_column_sums<T>(exec_, block.lanes, block.columns, entries, factor, ones_, to + block.first_column);
    };
    if constexpr (reads<profile_of<L>>::shift) add(one.tile.shift, T(1), one.shift);
    if constexpr (reads<profile_of<L>>::gram_beside_distance)
      add(one.tile.self, T(1), one.self);
    else
      add(one.tile.gram, T(-1), one.self); // a distance pulls a row by as much as it pushes the other
  }

  const exec::thrust& exec_;
  const Visitor& visitor_;
  const Coefficients& coefficients_;
  device_workspace& scratch_;
  index_t rows_;
  index_t block_;
  slots<device_layer<T, Profiles>...> layers_;
  partial* values_ = nullptr;
  partial* spare_ = nullptr;
  T* ones_ = nullptr;
};

namespace device {

/// Shows all ordered pairs of rows in device memory to a visitor; see the CPU's. Waits for the device before the gradients are written:
/// whether pairs are close is known then.
template <class Accumulator, class Visitor, class Coefficients, class T, class... Profiles>
visited_numbers<Visitor> visit_pairs(const exec::thrust& exec, const Visitor& visitor, const Coefficients& coefficients,
                                     const std::tuple<layer<T, Profiles, device_memory>...>& layers, gradient_rule<T> rule,
                                     device_workspace& scratch) {
  return device_pairwise<Visitor, Accumulator, Coefficients, T, Profiles...>(exec, visitor, coefficients, layers, scratch).run(rule);
}

} // namespace device
} // namespace dalib::engine
