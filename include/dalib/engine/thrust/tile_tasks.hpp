/// @file
/// Pairs of a tile in device memory, shown to a visitor one at a time.
#pragma once

#include "dalib/engine/pair/close_ratio.hpp"
#include "dalib/engine/pair/coefficients.hpp"
#include "dalib/engine/thrust/device_pass.hpp"

#include <type_traits>
#include <utility>

namespace dalib::engine {
namespace detail {

/// Statistics and kernels of the pairs of one lane with a run of columns: task = run * lanes + lane.
template <class Pass, class Indices, class... Layers>
struct evaluate_task;
template <class Pass, std::size_t... L, class... Layers>
struct evaluate_task<Pass, std::index_sequence<L...>, Layers...> {
  using T = typename Pass::T;
  using indices = std::index_sequence<L...>;
  static constexpr std::size_t count = Pass::count;

  Pass pass;
  index_t run;
  typename Pass::partial* values;

  DALIB_HD void operator()(index_t task) const {
    const device_block& block = pass.block;
    const index_t lane = task % block.lanes, first = task / block.lanes * run;
    const index_t last = first + run < block.columns ? first + run : block.columns;
    typename Pass::numbers totals{};
    unsigned left_out = 0;
    lane_sums<T> sums[count];
    const index_t x = block.first_lane + lane;
    const auto coefficients = coefficients_of(pass.coefficients, x);
    index_t place = first * block.lanes + lane;
    for (index_t column = first; column < last; ++column, place += block.lanes) {
      const index_t y = block.first_column + column;
      visit({x, y, place, coefficients(y)}, left_out, sums, totals);
    }
    values[task] = pass.counted(totals);
    values[task].left_out = left_out;
    if constexpr (visitor_pulls<decltype(pass.visitor)>) (keep(at<L>(pass.layers), task, sums[L]), ...);
  }

private:
  /// Pulls of a pair of the tile: its coefficients are left at its place.
  struct tile_pull {
    const evaluate_task& task;
    index_t place;
    const slots<pair_kernel<T, typename Layers::profile_type>...>& kernels;
    const row_terms<T> (&rows)[count];
    const row_terms<T> (&columns)[count];
    lane_sums<T> (&sums)[count];

    template <std::size_t Layer>
    DALIB_HD const auto& statistics() const {
      return at<Layer>(kernels).statistics;
    }
    template <std::size_t Layer>
    DALIB_HD T slope() const {
      return at<Layer>(kernels).jet.slopes[0];
    }
    template <std::size_t Layer>
    DALIB_HD void pull(T outer) const {
      task.write(at<Layer>(task.pass.layers), place, pulls_of(outer, at<Layer>(kernels), rows[Layer], columns[Layer]), sums[Layer]);
    }
  };

  struct tile_entry {
    index_t x, y, place;
    T coefficient;
  };

  DALIB_HD void visit(const tile_entry& entry, unsigned& left_out, lane_sums<T> (&sums)[count], typename Pass::numbers& totals) const {
    const auto [x, y, place, given] = entry;
    T coefficient = given;
    const T gram[count] = {gram_of(at<L>(pass.layers), x, y, place)...};
    if (x != y && coefficient != T(0) && (is_close(at<L>(pass.layers), x, y, gram[L]) || ...)) {
      coefficient = T(0);
      left_out = 1;
    }
    const row_terms<T> rows[count] = {at<L>(pass.layers).rows.terms(x)...}, columns[count] = {at<L>(pass.layers).rows.terms(y)...};
    slots<pair_kernel<T, typename Layers::profile_type>...> kernels;
    (evaluate_sums(at<L>(pass.layers).profile, sums_of_pair(at<L>(pass.layers), x, y, gram[L], rows[L], columns[L]), rows[L], columns[L],
                   at<L>(kernels)),
     ...);
    const T kernel_values[count] = {at<L>(kernels).jet.value...};
    const tile_pull pulling{*this, place, kernels, rows, columns, sums};
    T own[Pass::numbers::size] = {};
    pass.visitor.visit(device_pair<Pass, tile_pull, indices>{pass, coefficient, kernel_values, place, pulling}, own);
    for (int i = 0; i < Pass::numbers::size; ++i) totals[i] += static_cast<double>(own[i]);
  }

  /// A row's product with itself is its norm, which makes its distance to itself exactly 0.
  template <class Layer>
  DALIB_HD static T gram_of(const Layer& one, index_t x, index_t y, index_t place) {
    if constexpr (reads<typename Layer::profile_type>::gram)
      return x == y ? one.rows.norm[x] : one.tile.gram[place];
    else
      return T(0);
  }
  template <class Layer>
  DALIB_HD static pair_sums<T> sums_of_pair(const Layer& one, index_t x, index_t y, T gram, const row_terms<T>& x_terms,
                                            const row_terms<T>& y_terms) {
    pair_sums<T> sums;
    sums.gram = gram;
    sums.squared_distance = squared_distance::value(gram, x_terms, y_terms);
    if constexpr (reads<typename Layer::profile_type>::added)
      sums.added =
          sums_of<kernel_of<typename reads<typename Layer::profile_type>::additive>>(one.rows.row(x), one.rows.row(y), one.rows.features)
              .added;
    return sums;
  }
  template <class Layer>
  DALIB_HD void write(const Layer& one, index_t place, const pulls<T>& pull, lane_sums<T>& sums) const {
    sums.self += pull.self_x;
    sums.shift += pull.shift_x;
    if constexpr (reads<typename Layer::profile_type>::gram) one.tile.gram[place] = pull.gram;
    if constexpr (reads<typename Layer::profile_type>::added) one.tile.added[place] = pull.added;
    if (pass.block.diagonal()) return; // its columns are its lanes
    if constexpr (reads<typename Layer::profile_type>::gram_beside_distance) one.tile.self[place] = pull.self_y;
    if constexpr (reads<typename Layer::profile_type>::shift) one.tile.shift[place] = pull.shift_y;
  }
  template <class Layer>
  DALIB_HD static void keep(const Layer& one, index_t task, const lane_sums<T>& sums) {
    if constexpr (reads<typename Layer::profile_type>::gram) one.tile.lane_self[task] = sums.self;
    if constexpr (reads<typename Layer::profile_type>::shift) one.tile.lane_shift[task] = sums.shift;
  }

public:
  /// Whether a pair is left to close_task.
  template <class Layer>
  DALIB_HD static bool is_close(const Layer& one, index_t x, index_t y, T gram) {
    if constexpr (reads<typename Layer::profile_type>::distance)
      return closeness(one.rows.norm[x], one.rows.norm[y], gram) < T(0);
    else
      return false;
  }
};

/// The close pairs of one row of a tile, by exact differences: task = lane, or column of the tile.
template <class Pass, class Indices, class... Layers>
struct close_task;
template <class Pass, std::size_t... L, class... Layers>
struct close_task<Pass, std::index_sequence<L...>, Layers...> {
  using indices = std::index_sequence<L...>;
  using evaluate = evaluate_task<Pass, indices, Layers...>;
  using T = typename Pass::T;
  static constexpr std::size_t count = Pass::count;

  Pass pass;
  bool of_columns; ///< the task's own rows are the tile's columns: their pairs' values are counted by the lanes' tasks
  typename Pass::partial* values;

  DALIB_HD void operator()(index_t own) const {
    const device_block& block = pass.block;
    const index_t others = of_columns ? block.lanes : block.columns;
    const index_t x = (of_columns ? block.first_column : block.first_lane) + own;
    typename Pass::numbers totals{};
    for (index_t other = 0; other < others; ++other) {
      const index_t y = (of_columns ? block.first_lane : block.first_column) + other;
      const index_t place = of_columns ? own * block.lanes + other : other * block.lanes + own;
      if (x == y || !(left_out(at<L>(pass.layers), x, y, place) || ...)) continue;
      const T coefficient = pass.coefficients(x, y);
      if (coefficient != T(0)) visit(x, y, place, coefficient, totals);
    }
    if (!of_columns) values[own] = pass.counted(totals);
  }

private:
  template <class Layer>
  DALIB_HD static bool left_out(const Layer& one, index_t x, index_t y, index_t place) {
    if constexpr (reads<typename Layer::profile_type>::gram)
      return evaluate::is_close(one, x, y, one.tile.gram[place]);
    else
      return false;
  }

  /// Pulls of a close pair: they are added to the row itself.
  template <class Pairs>
  struct row_pull {
    const close_task& task;
    const Pairs& pairs;
    index_t x, y;

    template <std::size_t Layer>
    DALIB_HD const auto& statistics() const {
      return at<Layer>(pairs).statistics;
    }
    template <std::size_t Layer>
    DALIB_HD T slope() const {
      return at<Layer>(pairs).slopes[0];
    }
    template <std::size_t Layer>
    DALIB_HD void pull(T outer) const {
      close_task::pull(at<Layer>(task.pass.layers), at<Layer>(pairs), x, y, outer);
    }
  };

  DALIB_HD void visit(index_t x, index_t y, index_t place, T coefficient, typename Pass::numbers& totals) const {
    using pairs_type = slots<decltype(pair_of(std::declval<const Layers&>(), x, y))...>;
    const pairs_type pairs{{pair_of(at<L>(pass.layers), x, y)}...};
    const T kernels[count] = {at<L>(pairs).value...};
    const row_pull<pairs_type> pulling{*this, pairs, x, y};
    T own[Pass::numbers::size] = {};
    pass.visitor.visit(device_pair<Pass, row_pull<pairs_type>, indices>{pass, coefficient, kernels, place, pulling}, own);
    for (int i = 0; i < Pass::numbers::size; ++i) totals[i] += static_cast<double>(own[i]);
  }

  template <class Layer>
  DALIB_HD static auto pair_of(const Layer& one, index_t x, index_t y) {
    pair_sums<T> sums = sums_of<typename Layer::profile_type>(one.rows.row(x), one.rows.row(y), one.rows.features);
    // Centring has rounded both rows: what is between them is taken from the data.
    sums.squared_distance = static_cast<T>(squared_distance_of(one.data, x, y));
    return evaluate_pair(one.profile, sums, one.rows.terms(x), one.rows.terms(y));
  }

  template <class Layer, class Pair>
  DALIB_HD static void pull(const Layer& one, const Pair& pair, index_t x, index_t y, T outer) {
    if (one.gradient_of(x).data == nullptr) return;
    const pulls<T> pulled = pulls_of_slopes(statistics_of<typename Layer::profile_type>{}, outer, pair.slopes, pair.statistics,
                                            one.rows.terms(x), one.rows.terms(y), T(1));
    const auto &view_x = one.data.view_of_row(x), &view_y = one.data.view_of_row(y);
    T* to = one.gradient + x * one.rows.features;
    for (index_t f = 0; f < one.rows.features; ++f) {
      const T between = view_x(one.data.place_of_row(x), f) - view_y(one.data.place_of_row(y), f);
      T share = pulled.difference * between + pulled.gram * one.rows.row(y)[f];
      if constexpr (reads<typename Layer::profile_type>::added)
        share += pulled.added * reads<typename Layer::profile_type>::additive::slope(one.rows.row(x)[f], one.rows.row(y)[f]);
      to[f] += share;
    }
    if (one.self) one.self[x] += pulled.self_x;
    if (one.shift) one.shift[x] += pulled.shift_x;
  }
};

/// The share of a statistic that adds up over the features in one element of the gradient: task = own row * features + feature.
template <class Statistic, class T>
struct additive_pull_task {
  device_rows<T> rows;
  const T* slopes;
  index_t own_first, own_stride, other_first, other_stride, others;
  T* gradient;

  DALIB_HD void operator()(index_t task) const {
    const index_t own = task / rows.features, f = task % rows.features;
    const T x = rows.row(own_first + own)[f];
    T sum = T(0);
    for (index_t other = 0; other < others; ++other)
      if (const T slope = slopes[own * own_stride + other * other_stride]; slope != T(0))
        sum += slope * Statistic::slope(x, rows.row(other_first + other)[f]);
    gradient[(own_first + own) * rows.features + f] += sum;
  }
};

/// Adds what evaluate_task kept of every run of columns to a lane's coefficient: task = lane.
template <class T>
struct add_runs_task {
  const T* from;
  index_t lanes, runs;
  T* to;

  DALIB_HD void operator()(index_t lane) const {
    T sum = T(0);
    for (index_t run = 0; run < runs; ++run) sum += from[run * lanes + lane];
    to[lane] += sum;
  }
};

/// Writes one element of a layer's gradient: task = row * features + feature.
template <class Layer>
struct write_gradient_task {
  using T = typename Layer::scalar;
  Layer one;
  T scale;
  bool accumulate;

  DALIB_HD void operator()(index_t task) const {
    const index_t row = task / one.rows.features, f = task % one.rows.features;
    const matrix_view<T, device_memory>& view = one.gradient_of(row);
    if (view.data == nullptr) return;
    T sum = one.gradient[task];
    if (one.self) sum += one.self[row] * one.rows.rows[task];
    if (one.shift && one.mean) sum += one.shift[row] * static_cast<T>(one.mean[f]);
    T& to = view(one.data.place_of_row(row), f);
    to = accumulate ? to + scale * sum : scale * sum;
  }
};

} // namespace detail
} // namespace dalib::engine
