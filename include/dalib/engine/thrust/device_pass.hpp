/// @file
/// A pass over tiles in device memory as its tasks carry it, and what a visitor sees of one pair.
///
/// A tile is stored by columns: entry (lane, column) is at [column * lanes + lane], so that neighbouring threads read neighbouring entries.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/pair/visitor.hpp"
#include "dalib/engine/thrust/rows.hpp"
#include "dalib/engine/thrust/slots.hpp"
#include "dalib/engine/thrust/sums.hpp"

#include <cstddef>
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
  T* added = nullptr; ///< slopes
  T* self = nullptr;
  T* shift = nullptr;
  T* lane_self = nullptr;
  T* lane_shift = nullptr;
};

/// Tiles that a visitor keeps, one after another.
template <class T>
struct kept_memory {
  T* data = nullptr;
  index_t size = 0; ///< entries of one
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

/// A kernel of one statistic alone, for the sums that a tile of it needs.
template <class S>
struct kernel_of {
  using statistic = S;
};

/// What a run of pairs adds to the coefficients of its lane's own row and of the mean.
template <class T>
struct lane_sums {
  T self = T(0);
  T shift = T(0);
};

/// What a visitor of one pass is: the same for all its tasks.
template <class Visitor, class Accumulator, class Coefficients, class... Layers>
struct device_pass {
  using T = typename std::common_type<typename Layers::scalar...>::type;
  using numbers = visited_numbers<Visitor>;
  using partial = partial_value<Accumulator, numbers>;
  static constexpr std::size_t count = sizeof...(Layers);

  Visitor visitor;
  Coefficients coefficients;
  slots<Layers...> layers;
  device_block block;
  kept_memory<T> kept;

  /// What a task adds up, from the sums over its pairs: off the diagonal each pair stands for both its orders.
  DALIB_HD partial counted(numbers sums) const {
    if (!block.diagonal())
      for (int i = 0; i < numbers::size; ++i) sums[i] = 2 * sums[i];
    partial result;
    result.sum.add(sums);
    return result;
  }
};

/// What a visitor sees of one pair, on any of the device's ways to evaluate it. `Pull` says what pulling is, see pair_visitor.
template <class Pass, class Pull, class Indices>
struct device_pair;
template <class Pass, class Pull, std::size_t... L>
struct device_pair<Pass, Pull, std::index_sequence<L...>> {
  using number = typename Pass::T;

  const Pass& pass;
  number coefficient;
  const number (&values)[Pass::count];
  index_t place;
  const Pull& pulling;

  DALIB_HD number value() const {
    number product = values[0];
    for (std::size_t l = 1; l < Pass::count; ++l) product *= values[l];
    return product;
  }
  template <std::size_t Layer>
  DALIB_HD number kernel() const {
    return values[Layer];
  }
  template <std::size_t Layer>
  DALIB_HD number slope() const {
    return pulling.template slope<Layer>();
  }
  template <std::size_t Layer, class Use>
  DALIB_HD void each_term(const Use& use) const {
    using list = statistics_of<typename std::remove_cvref_t<decltype(at<Layer>(pass.layers))>::profile_type>;
    dalib::kernel::each_term_value<list>(at<Layer>(pass.layers).profile, pulling.template statistics<Layer>(), 0, use);
  }
  DALIB_HD number counted(number x) const { return where_nonzero(coefficient, x); }
  DALIB_HD number share() const { return counted(product_over_layers(coefficient, values)); }
  DALIB_HD void pull() const { (pulling.template pull<L>(product_over_layers(coefficient, values, L)), ...); }
  DALIB_HD void keep(int which, number x) const { pass.kept.data[which * pass.kept.size + place] = x; }
};

} // namespace detail
} // namespace dalib::engine
