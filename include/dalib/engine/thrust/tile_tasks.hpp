/// @file
/// What happens to the pairs of a tile in device memory: the functions of the CPU's tiles, one pair at a time.
///
/// A tile is stored by columns: entry (lane, column) is at [column * lanes + lane], so that neighbouring threads read neighbouring entries.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/close_pairs.hpp"
#include "dalib/engine/host/combine.hpp"
#include "dalib/engine/pair/coefficients.hpp"
#include "dalib/engine/pair/pair.hpp"
#include "dalib/engine/thrust/rows.hpp"
#include "dalib/engine/thrust/slots.hpp"
#include "dalib/engine/thrust/sums.hpp"

#include <type_traits>
#include <utility>

namespace dalib::engine {

/// Two runs of rows of the joint sample that meet in a tile; for a diagonal tile both are the same.
struct device_block {
  index_t first_lane = 0;
  index_t lanes = 0;
  index_t first_column = 0;
  index_t columns = 0;

  DALIB_HD bool diagonal() const { return first_lane == first_column; }
};

/// A tile's entries. `gram` holds inner products, then pull coefficients; `self` and `shift` what the statistics that are no differences
/// add to the coefficients of the columns' own rows and of the mean. The same of the lanes is summed where it is found: one number for each
/// lane and run of columns.
template <class T>
struct device_tile {
  T* gram = nullptr;
  T* l1 = nullptr; ///< slopes
  T* self = nullptr;
  T* shift = nullptr;
  T* lane_self = nullptr;
  T* lane_shift = nullptr;
};

/// A layer as tasks carry it.
template <class T, class Profile>
struct device_layer {
  using scalar = T;
  using profile_type = Profile;

  Profile profile;
  joint_sample<T, device_memory> data;
  matrix_view<T, device_memory> source_gradient;
  matrix_view<T, device_memory> target_gradient;
  const double* mean = nullptr; ///< where rows are measured from; none: 0
  device_rows<T> rows;
  device_tile<T> tile;
  T* gradient = nullptr; ///< (n, F): what the rows receive from other rows
  T* self = nullptr;     ///< coefficient of each row itself
  T* shift = nullptr;    ///< coefficient of the mean

  DALIB_HD const matrix_view<T, device_memory>& gradient_of(index_t row) const {
    return data.is_source(row) ? source_gradient : target_gradient;
  }
};

namespace detail {

/// A kernel of the l1 distance alone, for the sums that a tile of it needs.
struct l1_only {
  using statistic = l1_distance;
};

/// What a run of pairs adds to the coefficients of its lane's own row and of the mean.
template <class T>
struct lane_sums {
  T self = T(0);
  T shift = T(0);
};

/// Statistics and kernels of the pairs of one lane with a run of columns: task = run * lanes + lane.
template <bool Gradient, class Accumulator, class Coefficients, class Indices, class... Layers>
struct evaluate_task;
template <bool Gradient, class Accumulator, class Coefficients, std::size_t... L, class... Layers>
struct evaluate_task<Gradient, Accumulator, Coefficients, std::index_sequence<L...>, Layers...> {
  using T = typename std::common_type<typename Layers::scalar...>::type;
  static constexpr std::size_t count = sizeof...(Layers);

  slots<Layers...> layers;
  Coefficients coefficients;
  device_block block;
  index_t run;
  partial_value<Accumulator>* values;

  DALIB_HD void operator()(index_t task) const {
    const index_t lane = task % block.lanes, first = task / block.lanes * run;
    const index_t last = first + run < block.columns ? first + run : block.columns;
    double total = 0;
    partial_value<Accumulator> result;
    lane_sums<T> sums[count];
    for (index_t column = first; column < last; ++column) total += visit(lane, column, result.left_out, sums);
    Accumulator::add(result.sum, block.diagonal() ? total : 2 * total);
    values[task] = result;
    if constexpr (Gradient) (keep(at<L>(layers), task, sums[L]), ...);
  }

private:
  DALIB_HD double visit(index_t lane, index_t column, unsigned& left_out, lane_sums<T> (&sums)[count]) const {
    const index_t x = block.first_lane + lane, y = block.first_column + column, place = column * block.lanes + lane;
    T coefficient = coefficients(x, y);
    const T gram[count] = {gram_of(at<L>(layers), x, y, place)...};
    if (x != y && coefficient != T(0) && (is_close(at<L>(layers), x, y, gram[L]) || ...)) {
      coefficient = T(0);
      left_out = 1;
    }
    const row_terms<T> rows[count] = {at<L>(layers).rows.terms(x)...}, columns[count] = {at<L>(layers).rows.terms(y)...};
    slots<pair_kernel<T, typename Layers::profile_type>...> kernels;
    (evaluate_sums(at<L>(layers).profile, sums_of_pair(at<L>(layers), x, y, gram[L], rows[L], columns[L]), rows[L], columns[L],
                   at<L>(kernels)),
     ...);
    const T kernel_values[count] = {at<L>(kernels).jet.value...};
    if constexpr (Gradient)
      (write(at<L>(layers), place, pulls_of(product_over_layers(coefficient, kernel_values, L), at<L>(kernels), rows[L], columns[L]),
             sums[L]),
       ...);
    return static_cast<double>(where_nonzero(coefficient, product_over_layers(coefficient, kernel_values)));
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
    if constexpr (reads<typename Layer::profile_type>::l1)
      sums.l1 = sums_of<l1_only>(one.rows.row(x), one.rows.row(y), one.rows.features).l1;
    return sums;
  }
  template <class Layer>
  DALIB_HD void write(const Layer& one, index_t place, const pulls<T>& pull, lane_sums<T>& sums) const {
    sums.self += pull.self_x;
    sums.shift += pull.shift_x;
    if constexpr (reads<typename Layer::profile_type>::gram) one.tile.gram[place] = pull.gram;
    if constexpr (reads<typename Layer::profile_type>::l1) one.tile.l1[place] = pull.l1;
    if (block.diagonal()) return; // its columns are its lanes
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
template <bool Gradient, class Accumulator, class Coefficients, class Indices, class... Layers>
struct close_task;
template <bool Gradient, class Accumulator, class Coefficients, std::size_t... L, class... Layers>
struct close_task<Gradient, Accumulator, Coefficients, std::index_sequence<L...>, Layers...> {
  using evaluate = evaluate_task<Gradient, Accumulator, Coefficients, std::index_sequence<L...>, Layers...>;
  using T = typename evaluate::T;
  static constexpr std::size_t count = sizeof...(Layers);

  slots<Layers...> layers;
  Coefficients coefficients;
  device_block block;
  bool of_columns; ///< the task's own rows are the tile's columns: their pairs' values are counted by the lanes' tasks
  partial_value<Accumulator>* values;

  DALIB_HD void operator()(index_t own) const {
    const index_t others = of_columns ? block.lanes : block.columns;
    const index_t x = (of_columns ? block.first_column : block.first_lane) + own;
    double total = 0;
    for (index_t other = 0; other < others; ++other) {
      const index_t y = (of_columns ? block.first_lane : block.first_column) + other;
      const index_t place = of_columns ? own * block.lanes + other : other * block.lanes + own;
      if (x == y || !(left_out(at<L>(layers), x, y, place) || ...)) continue;
      const T coefficient = coefficients(x, y);
      if (coefficient != T(0)) total += visit(x, y, coefficient);
    }
    if (of_columns) return;
    partial_value<Accumulator> result;
    Accumulator::add(result.sum, block.diagonal() ? total : 2 * total);
    values[own] = result;
  }

private:
  template <class Layer>
  DALIB_HD static bool left_out(const Layer& one, index_t x, index_t y, index_t place) {
    if constexpr (reads<typename Layer::profile_type>::gram)
      return evaluate::is_close(one, x, y, one.tile.gram[place]);
    else
      return false;
  }

  DALIB_HD double visit(index_t x, index_t y, T coefficient) const {
    slots<decltype(pair_of(std::declval<const Layers&>(), x, y))...> pairs{{pair_of(at<L>(layers), x, y)}...};
    const T kernels[count] = {at<L>(pairs).value...};
    if constexpr (Gradient) (pull(at<L>(layers), at<L>(pairs), x, y, product_over_layers(coefficient, kernels, L)), ...);
    return static_cast<double>(product_over_layers(coefficient, kernels));
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
      to[f] += pulled.difference * between + pulled.gram * one.rows.row(y)[f] + signed_slope(one.rows.row(x)[f], one.rows.row(y)[f], pulled.l1);
    }
    if (one.self) one.self[x] += pulled.self_x;
    if (one.shift) one.shift[x] += pulled.shift_x;
  }
};

/// The l1 distance's share of one element of the gradient: task = own row * features + feature.
template <class T>
struct signs_task {
  device_rows<T> rows;
  const T* slopes;
  index_t own_first, own_stride, other_first, other_stride, others;
  T* gradient;

  DALIB_HD void operator()(index_t task) const {
    const index_t own = task / rows.features, f = task % rows.features;
    const T x = rows.row(own_first + own)[f];
    T sum = T(0);
    for (index_t other = 0; other < others; ++other)
      sum += signed_slope(x, rows.row(other_first + other)[f], slopes[own * own_stride + other * other_stride]);
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
