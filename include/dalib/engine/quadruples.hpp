/// @file
/// The engine of the O(n F) estimators: quadruples (s_i, s_j, t_i, t_j) of rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/quadruple.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// Value and gradient of a quadruple estimator. Quadruples that share no row form a phase and run in parallel; phases follow each other, so
/// every row is written in one order: the same bits for any number of threads.
template <bool Gradient, class Accumulator, class Exec, class T, class... Profiles>
class quadruple_sum {
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  static constexpr index_t quadruples_per_task = 64;
  using layer_indices = std::index_sequence_for<Profiles...>;
  using layers_tuple = std::tuple<layer<T, Profiles>...>;
  using state = typename Accumulator::state;

public:
  quadruple_sum(const Exec& exec, const quadruple_plan& plan, const layers_tuple& layers, workspace& scratch)
      : exec_(exec), plan_(plan), layers_(layers), scratch_(scratch) {}

  /// The value without the plan's constant; gradients are added, times `scale`, to the layers' views, which `mode` may clear first.
  double run(T scale, write_mode mode) {
    scale_ = scale;
    const index_t tasks = (plan_.count + quadruples_per_task - 1) / quadruples_per_task;
    state* values = scratch_.template allocate<state>(tasks);
    std::fill_n(values, tasks, state{});
    widest_ = 0;
    for_each_layer([&](auto l) { widest_ = std::max(widest_, std::get<l>(layers_).data.features()); });
    const index_t row_memory = 4 * widest_ * static_cast<index_t>(layer_count);
    const index_t workers = static_cast<index_t>(exec_.workers());
    T* memory = scratch_.template allocate<T>(workers * row_memory);
    // Disjoint quadruples write each of their rows once; what a ring's rows are added to must be 0, and so must rows in no quadruple.
    overwrite_ = mode == write_mode::overwrite && !plan_.ring;
    if (Gradient && mode == write_mode::overwrite) clear_gradients(plan_.ring ? 0 : 2 * plan_.count);
    // A ring of odd length needs a third phase: its last quadruple touches both ends.
    const int phases = plan_.ring ? (plan_.count % 2 ? 3 : 2) : 1;
    for (int phase = 0; phase < phases; ++phase)
      exec_.run(tasks, [&](index_t task, int worker) {
        const index_t last = std::min(plan_.count, (task + 1) * quadruples_per_task);
        for (index_t q = task * quadruples_per_task; q < last; ++q)
          if (phase_of(q) == phase) Accumulator::add(values[task], visit(q, memory + worker * row_memory));
      });
    state total{};
    for (index_t i = 0; i < tasks; ++i) Accumulator::merge(total, values[i]);
    return Accumulator::result(total);
  }

private:
  int phase_of(index_t q) const {
    if (!plan_.ring) return 0;
    return plan_.count % 2 && q == plan_.count - 1 ? 2 : static_cast<int>(q % 2);
  }

  double visit(index_t q, T* memory) {
    const std::array<index_t, 4> places = {plan_.first(q), plan_.second(q), plan_.first(q), plan_.second(q)};
    std::tuple<quadruple_layer<T, Profiles>...> quadruple;
    T values[layer_count][4];
    for_each_layer([&](auto l) {
      auto& one = std::get<l>(quadruple);
      load_rows(std::get<l>(layers_), places, memory + static_cast<index_t>(l) * 4 * widest_, one);
      one.evaluate(std::get<l>(layers_).profile, std::get<l>(layers_).data.features());
      for (int p = 0; p < 4; ++p) values[l][p] = one.pairs[p].value;
    });
    if constexpr (Gradient)
      for_each_layer([&](auto l) {
        quadruple_mix<T> mix;
        for (int p = 0; p < 4; ++p) mix.add(std::get<l>(quadruple), p, quadruple_weight(plan_, scale_, values, l, p));
        pull(std::get<l>(layers_), places, std::get<l>(quadruple).rows, mix);
      });
    return quadruple_value(plan_, values);
  }

  /// Copies the four rows, centred, and finds their terms.
  template <class Profile>
  void load_rows(const layer<T, Profile>& one, const std::array<index_t, 4>& places, T* rows, quadruple_layer<T, Profile>& to) const {
    const index_t features = one.data.features();
    for (int r = 0; r < 4; ++r) {
      const matrix_view<const T>& view = r < 2 ? one.data.source.rows : one.data.target.rows;
      const T* from = &view(places[static_cast<std::size_t>(r)], 0);
      T* row = rows + r * features;
      detail::centre_row(from, view.col_stride, one.summary->mean_high(), one.summary->mean_low(), features, row);
      to.rows[r] = row;
      if constexpr (reads<Profile>::shift) to.terms[r] = raw_terms(row, features, *one.summary);
    }
  }

  /// Writes the gradient of the quadruple's pairs over the caller's four rows, or adds it.
  template <class Profile>
  void pull(const layer<T, Profile>& one, const std::array<index_t, 4>& places, const T* const (&rows)[4],
            const quadruple_mix<T>& mix) const {
    const index_t features = one.data.features();
    for (int r = 0; r < 4; ++r) {
      const matrix_view<T>& view = r < 2 ? one.source_gradient : one.target_gradient;
      if (view.data == nullptr) continue;
      T* to = &view(places[static_cast<std::size_t>(r)], 0);
      const auto write = [&](index_t step) {
        if (overwrite_)
          for (index_t f = 0; f < features; ++f) to[f * step] = mix.pulled(r, rows, f);
        else
          for (index_t f = 0; f < features; ++f) to[f * step] += mix.pulled(r, rows, f);
      };
      // The constant stride lets the compiler vectorise the common case.
      if (view.col_stride == 1)
        write(1);
      else
        write(view.col_stride);
      if constexpr (reads<Profile>::shift)
        for (index_t f = 0; f < features; ++f) to[f * view.col_stride] += mix.shift[r] * static_cast<T>(one.summary->mean(f));
      if constexpr (reads<Profile>::l1)
        for (index_t f = 0; f < features; ++f) to[f * view.col_stride] += mix.signed_sum(r, rows, f);
    }
  }

  /// Fills the gradients' rows from `first` on with zeros.
  void clear_gradients(index_t first) const {
    const auto clear_from = [&](const matrix_view<T>& view) {
      if (view.data == nullptr) return;
      constexpr index_t run = 4 * quadruples_per_task;
      exec_.run((view.rows - first + run - 1) / run, [&](index_t task, int) {
        const index_t start = first + task * run;
        clear(view.rows_from(start, std::min(run, view.rows - start)));
      });
    };
    for_each_layer([&](auto l) {
      clear_from(std::get<l>(layers_).source_gradient);
      clear_from(std::get<l>(layers_).target_gradient);
    });
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
  index_t widest_ = 0;
  T scale_ = T(0);
  bool overwrite_ = false;
};

/// Value of a quadruple estimator without its constant; gradients, times `scale`, are written or added to the layers' views.
template <bool Gradient, class Accumulator, class Exec, class T, class... Profiles>
double sum_of_quadruples(const Exec& exec, const quadruple_plan& plan, const std::tuple<layer<T, Profiles>...>& layers, T scale,
                         write_mode mode, workspace& scratch) {
  return quadruple_sum<Gradient, Accumulator, Exec, T, Profiles...>(exec, plan, layers, scratch).run(scale, mode);
}

} // namespace dalib::engine
