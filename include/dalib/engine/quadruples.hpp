/// @file
/// The engine of the O(n F) estimators: quadruples (s_i, s_j, t_i, t_j) of rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/combine.hpp"
#include "dalib/engine/pair.hpp"
#include "dalib/estimator/estimators.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace dalib::engine {

/// Value and gradient of a quadruple estimator. Quadruples that share no row form a phase and run in parallel; phases follow each other, so
/// every row is written in one order: the same bits for any number of threads.
template <bool Gradient, class Accumulator, class Exec, class T, class... Profiles>
class quadruple_sum {
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  static constexpr index quadruples_per_task = 64;
  static constexpr std::size_t most_statistics = std::max({statistics_of<Profiles>::size...});
  using layer_indices = std::index_sequence_for<Profiles...>;
  using layers_tuple = std::tuple<layer<T, Profiles>...>;
  using state = typename Accumulator::state;
  /// The pairs of a quadruple (rows s_i, s_j, t_i, t_j are 0..3).
  static constexpr int pair_rows[4][2] = {{0, 1}, {2, 3}, {0, 3}, {1, 2}};

public:
  quadruple_sum(const Exec& exec, const quadruple_plan& plan, const layers_tuple& layers, workspace& scratch)
      : exec_(exec), plan_(plan), layers_(layers), scratch_(scratch) {}

  /// The value without the plan's constant; gradients are added, times `scale`, to the layers' views, which `mode` may clear first.
  double run(T scale, write_mode mode) {
    scale_ = scale;
    const index tasks = (plan_.count + quadruples_per_task - 1) / quadruples_per_task;
    state* values = scratch_.template allocate<state>(tasks);
    std::fill_n(values, tasks, state{});
    widest_ = 0;
    for_each_layer([&](auto l) { widest_ = std::max(widest_, std::get<l>(layers_).data.features()); });
    const index row_memory = 4 * widest_ * static_cast<index>(layer_count);
    const index workers = static_cast<index>(exec_.workers());
    T* memory = scratch_.template allocate<T>(workers * row_memory);
    if (Gradient && mode == write_mode::overwrite) clear_gradients();
    // A ring of odd length needs a third phase: its last quadruple touches both ends.
    const int phases = plan_.ring ? (plan_.count % 2 ? 3 : 2) : 1;
    for (int phase = 0; phase < phases; ++phase)
      exec_.run(tasks, [&](index task, int worker) {
        const index last = std::min(plan_.count, (task + 1) * quadruples_per_task);
        for (index q = task * quadruples_per_task; q < last; ++q)
          if (phase_of(q) == phase) Accumulator::add(values[task], visit(q, memory + worker * row_memory));
      });
    state total{};
    for (index i = 0; i < tasks; ++i) Accumulator::merge(total, values[i]);
    return Accumulator::result(total);
  }

private:
  int phase_of(index q) const {
    if (!plan_.ring) return 0;
    return plan_.count % 2 && q == plan_.count - 1 ? 2 : static_cast<int>(q % 2);
  }

  double visit(index q, T* memory) {
    const index first = plan_.ring ? q : 2 * q;
    const index second = plan_.ring ? (q + 1) % plan_.count : 2 * q + 1;
    const std::array<index, 4> places = {first, second, first, second};
    T values[layer_count][4];
    T slopes[layer_count][4][most_statistics];
    T statistics[layer_count][4][most_statistics];
    row_terms<T> terms[layer_count][4];
    for_each_layer([&](auto l) {
      load_rows(std::get<l>(layers_), places, memory + static_cast<index>(l) * 4 * widest_, terms[l]);
      for (int p = 0; p < 4; ++p)
        evaluate_pair(std::get<l>(layers_), memory + static_cast<index>(l) * 4 * widest_, terms[l], p, values[l][p], slopes[l][p],
                      statistics[l][p]);
    });
    double total = 0;
    for (int p = 0; p < 4; ++p) {
      double product = weight_of(p);
      for (std::size_t l = 0; l < layer_count; ++l) product *= static_cast<double>(values[l][p]);
      total += product;
    }
    if constexpr (Gradient)
      for_each_layer([&](auto l) {
        T weights[4];
        for (int p = 0; p < 4; ++p) {
          weights[p] = static_cast<T>(weight_of(p)) * scale_;
          for (std::size_t m = 0; m < layer_count; ++m)
            if (m != l) weights[p] *= values[m][p];
        }
        pull(std::get<l>(layers_), places, memory + static_cast<index>(l) * 4 * widest_, terms[l], weights, slopes[l], statistics[l]);
      });
    return total;
  }

  double weight_of(int pair) const { return pair < 2 ? plan_.within : -plan_.across; }

  /// Copies the four rows, centred, and finds their terms.
  template <class Profile>
  void load_rows(const layer<T, Profile>& one, const std::array<index, 4>& places, T* rows, row_terms<T>* terms) const {
    const index features = one.data.features();
    for (int r = 0; r < 4; ++r) {
      const matrix_view<const T>& view = r < 2 ? one.data.source.rows : one.data.target.rows;
      const T* from = &view(places[static_cast<std::size_t>(r)], 0);
      T* to = rows + r * features;
      detail::centre_row(from, view.col_stride, one.summary->mean_high(), one.summary->mean_low(), features, to);
      if constexpr (reads<Profile>::shift) terms[r] = raw_terms(to, features, *one.summary);
    }
  }

  template <class Profile>
  void evaluate_pair(const layer<T, Profile>& one, const T* rows, const row_terms<T>* terms, int p, T& value, T* slopes,
                     T* statistics) const {
    const index features = one.data.features();
    const int x = pair_rows[p][0], y = pair_rows[p][1];
    const auto pair =
        dalib::engine::evaluate_pair(one.profile, sums_of<Profile>(rows + x * features, rows + y * features, features), terms[x], terms[y]);
    value = pair.value;
    std::copy_n(pair.slopes, statistics_of<Profile>::size, slopes);
    std::copy_n(pair.statistics, statistics_of<Profile>::size, statistics);
  }

  /// Adds the gradient of the quadruple's pairs to the caller's four rows.
  template <class Profile>
  void pull(const layer<T, Profile>& one, const std::array<index, 4>& places, const T* rows, const row_terms<T>* terms, const T* weights,
            const T (*slopes)[most_statistics], const T (*statistics)[most_statistics]) const {
    using list = statistics_of<Profile>;
    const index features = one.data.features();
    // Row r's gradient is sum_q mix[r][q] * row q + shift[r] * mean + l1 signs.
    T mix[4][4] = {}, shift[4] = {}, signs[4][4] = {};
    for (int p = 0; p < 4; ++p) {
      const int x = pair_rows[p][0], y = pair_rows[p][1];
      detail::pulls<T> sum;
      [&]<class... S, std::size_t... I>(type_list<S...>, std::index_sequence<I...>) {
        (sum.template add<S>(weights[p] * slopes[p][I], statistics[p][I], terms[x], terms[y]), ...);
      }(list{}, std::make_index_sequence<list::size>{});
      mix[x][y] += sum.gram;
      mix[y][x] += sum.gram;
      mix[x][x] += sum.self_x;
      mix[y][y] += sum.self_y;
      shift[x] += sum.shift_x;
      shift[y] += sum.shift_y;
      signs[x][y] += sum.l1;
      signs[y][x] += sum.l1;
    }
    for (int r = 0; r < 4; ++r) {
      const matrix_view<T>& view = r < 2 ? one.source_gradient : one.target_gradient;
      if (view.data == nullptr) continue;
      T* to = &view(places[static_cast<std::size_t>(r)], 0);
      const auto add = [&](index f, index step) {
        T pulled = T(0);
        for (int q = 0; q < 4; ++q) pulled += mix[r][q] * rows[q * features + f];
        to[f * step] += pulled;
      };
      if (view.col_stride == 1)
        for (index f = 0; f < features; ++f) add(f, 1);
      else
        for (index f = 0; f < features; ++f) add(f, view.col_stride);
      if constexpr (reads<Profile>::shift)
        for (index f = 0; f < features; ++f) to[f * view.col_stride] += shift[r] * static_cast<T>(one.summary->mean(f));
      if constexpr (reads<Profile>::l1)
        for (index f = 0; f < features; ++f)
          for (int q = 0; q < 4; ++q) {
            const T d = rows[r * features + f] - rows[q * features + f];
            to[f * view.col_stride] += d > T(0) ? signs[r][q] : (d < T(0) ? -signs[r][q] : T(0));
          }
    }
  }

  void clear_gradients() {
    for_each_layer([&](auto l) { clear_gradient(std::get<l>(layers_)); });
  }

  template <class F>
  void for_each_layer(F&& f) const {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

  const Exec& exec_;
  const quadruple_plan& plan_;
  const layers_tuple& layers_;
  workspace& scratch_;
  index widest_ = 0;
  T scale_ = T(0);
};

} // namespace dalib::engine
