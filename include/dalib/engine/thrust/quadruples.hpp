/// @file
/// The engine of the O(n F) estimators on a device.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/pair/quadruple.hpp"
#include "dalib/engine/thrust/tile_tasks.hpp"

#include <tuple>
#include <utility>

namespace dalib::engine {

/// One row of a tensor, wherever its features lie.
template <class T>
struct strided_row {
  const T* first = nullptr;
  index_t stride = 1;
  DALIB_HD T operator[](index_t f) const { return first[f * stride]; }
};

/// A layer of a quadruple problem as tasks carry it.
template <class T, class Profile>
struct device_quadruple_layer {
  using scalar = T;
  using profile_type = Profile;
  using quadruple = quadruple_layer<T, Profile, strided_row<T>>;

  Profile profile;
  joint_sample<T, device_memory> data;
  matrix_view<T, device_memory> source_gradient;
  matrix_view<T, device_memory> target_gradient;
  quadruple_pulls* pulls; ///< one for each quadruple

  /// The rows of quadruple q.
  DALIB_HD void load(const quadruple_plan& plan, index_t q, quadruple& to) const {
    for (int r = 0; r < 4; ++r) to.rows[r] = row_of(plan, q, r);
  }
  DALIB_HD strided_row<T> row_of(const quadruple_plan& plan, index_t q, int r) const {
    const index_t place = plan.place(q, r);
    const matrix_view<const T, device_memory>& view = r < 2 ? data.source.rows : data.target.rows;
    return {&view(place, 0), view.col_stride};
  }
};

namespace detail {

/// Kernels, value and pulls of one quadruple.
template <bool Gradient, class Accumulator, class T, class Indices, class... Layers>
struct quadruple_task;
template <bool Gradient, class Accumulator, class T, std::size_t... L, class... Layers>
struct quadruple_task<Gradient, Accumulator, T, std::index_sequence<L...>, Layers...> {
  slots<Layers...> layers;
  quadruple_plan plan;
  T scale;
  partial_value<Accumulator>* to;

  DALIB_HD void operator()(index_t q) const {
    slots<typename Layers::quadruple...> all;
    double values[sizeof...(Layers)][4];
    (evaluate(at<L>(layers), at<L>(all), q, values[L]), ...);
    partial_value<Accumulator> result;
    result.sum.add({{quadruple_value(plan, values)}});
    to[q] = result;
    if constexpr (Gradient) (set_pulls<L>(values, at<L>(all), at<L>(layers).pulls[q]), ...);
  }

private:
  template <class Layer, class One>
  DALIB_HD void evaluate(const Layer& layer, One& one, index_t q, double (&values)[4]) const {
    layer.load(plan, q, one);
    one.evaluate(layer.profile, layer.data.features());
    for (int p = 0; p < 4; ++p) values[p] = one.pairs[p].value;
  }
  template <std::size_t Which, class One>
  DALIB_HD void set_pulls(const double (&values)[sizeof...(Layers)][4], const One& one, quadruple_pulls& result) const {
    result = quadruple_pulls{};
    for (int p = 0; p < 4; ++p) result.set(one, p, quadruple_weight(plan, static_cast<double>(scale), values, Which, p));
  }
};

/// One element of a layer's gradient, gathered from the quadruples that the row is in: task = row * features + feature.
template <class Layer>
struct gather_quadruples_task {
  using T = typename Layer::scalar;
  using profile = typename Layer::profile_type;
  Layer one;
  quadruple_plan plan;
  bool accumulate;

  DALIB_HD void operator()(index_t task) const {
    const index_t row = task / one.data.features(), f = task % one.data.features();
    const bool is_source = one.data.is_source(row);
    const index_t place = one.data.place_of_row(row);
    const matrix_view<T, device_memory>& view = is_source ? one.source_gradient : one.target_gradient;
    if (view.data == nullptr) return;
    const int half = is_source ? 0 : 2;
    T sum = T(0);
    if (plan.list.places != nullptr) {
      for (index_t e = plan.list.starts[row]; e < plan.list.starts[row + 1]; ++e)
        sum += share(plan.list.entries[e] / 4, static_cast<int>(plan.list.entries[e] % 4), f);
    } else if (plan.ring) {
      if (place < plan.count) sum = share(place, half, f) + share((place + plan.count - 1) % plan.count, half + 1, f);
    } else if (place / 2 < plan.count) {
      sum = share(place / 2, half + static_cast<int>(place % 2), f);
    }
    T& to = view(place, f);
    to = accumulate ? to + sum : sum;
  }

private:
  /// What row r of quadruple q receives.
  DALIB_HD T share(index_t q, int r, index_t f) const {
    const quadruple_pulls& pulls = one.pulls[q];
    return pulls.fit<T>() ? share_in<T>(pulls, q, r, f) : share_in<double>(pulls, q, r, f);
  }
  template <class Real>
  DALIB_HD T share_in(const quadruple_pulls& pulls, index_t q, int r, index_t f) const {
    const quadruple_row_pull<profile, Real> of_row(pulls, r);
    return static_cast<T>(
        of_row(one.row_of(plan, q, r), one.row_of(plan, q, partner_of_row(r, 0)), one.row_of(plan, q, partner_of_row(r, 1)), f));
  }
};

template <bool Gradient, class Accumulator, class T, class... Profiles, std::size_t... L>
double sum_of_quadruples(std::index_sequence<L...> indices, const exec::thrust& exec, const quadruple_plan& plan,
                         const std::tuple<layer<T, Profiles, device_memory>...>& layers, T scale, write_mode mode,
                         device_workspace& scratch) {
  using partial = partial_value<Accumulator>;
  const auto prepared = [&]<class Profile>(const layer<T, Profile, device_memory>& one) {
    return device_quadruple_layer<T, Profile>{one.profile, one.data, one.source_gradient, one.target_gradient,
                                              Gradient ? scratch.template allocate<quadruple_pulls>(plan.count) : nullptr};
  };
  const slots<device_quadruple_layer<T, Profiles>...> all{{prepared(std::get<L>(layers))}...};
  partial* values = scratch.template allocate<partial>(plan.count);
  partial* spare = scratch.template allocate<partial>(plan.count / merge_task<partial>::run + 1);
  using task = quadruple_task<Gradient, Accumulator, T, decltype(indices), device_quadruple_layer<T, Profiles>...>;
  exec.run(plan.count, task{all, plan, scale, values});
  if constexpr (Gradient) {
    const auto gather = [&]<class Layer>(const Layer& one, index_t rows) {
      exec.run(rows * one.data.features(), gather_quadruples_task<Layer>{one, plan, mode == write_mode::accumulate});
    };
    (gather(at<L>(all), std::get<L>(layers).data.rows()), ...);
  }
  return merged_on_host(exec, values, spare, plan.count).sum.result()[0];
}

} // namespace detail

namespace device {

/// Value of a quadruple estimator without its constant, in device memory; see the CPU's.
template <bool Gradient, class Accumulator, class T, class... Profiles>
double sum_of_quadruples(const exec::thrust& exec, const quadruple_plan& plan,
                         const std::tuple<layer<T, Profiles, device_memory>...>& layers, T scale, write_mode mode,
                         device_workspace& scratch) {
  return detail::sum_of_quadruples<Gradient, Accumulator>(std::index_sequence_for<Profiles...>{}, exec, plan, layers, scale, mode, scratch);
}

} // namespace device
} // namespace dalib::engine
