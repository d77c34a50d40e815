/// @file
/// The engine of the O(n F) estimators: quadruples (s_i, s_j, t_i, t_j) of rows.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/pair/quadruple.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace dalib::engine {

/// Value and gradient of one quadruple after the other. No execution policy is a parameter: a compiler that contracts a * b + c as it likes
/// must find one function for all of them, or their bits differ.
template <bool Gradient, class Accumulator, class T, class... Profiles>
class quadruple_visitor {
  static constexpr std::size_t layer_count = sizeof...(Profiles);
  using layer_indices = std::index_sequence_for<Profiles...>;

public:
  using layers_tuple = std::tuple<layer<T, Profiles>...>;
  using state = typename Accumulator::state;

  /// @param pulls for quadruples of a list: one for each layer and quadruple. A pass over the quadruples leaves them there for a pass over
  /// the rows, since a row may be in any number of quadruples.
  quadruple_visitor(const quadruple_plan& plan, const layers_tuple& layers, T scale, bool overwrite, quadruple_pulls* pulls = nullptr)
      : plan_(plan), layers_(layers), scale_(static_cast<double>(scale)), overwrite_(overwrite), pulls_(pulls) {
    for_each_layer([&](auto l) { widest_ = std::max(widest_, std::get<l>(layers_).data.features()); });
  }

  /// Elements of memory that a worker needs for its rows.
  index_t row_memory() const { return (4 * static_cast<index_t>(layer_count) + 1) * widest_; }

  /// Quadruples [first, last) of a phase.
  DALIB_ONE_COPY void visit(index_t first, index_t last, int phase, T* memory, state& value) const {
    for (index_t q = first; q < last; ++q)
      if (phase_of(q) == phase) Accumulator::add(value, visit_one(q, memory));
  }

  /// Gradients of rows [first, last) of the joint sample, gathered from the quadruples of a list.
  DALIB_ONE_COPY void gather(index_t first, index_t last, T* memory) const {
    for (index_t row = first; row < last; ++row)
      for_each_layer([&](auto l) { gather_row(std::get<l>(layers_), pulls_ + static_cast<index_t>(l) * plan_.count, row, memory); });
  }

  template <class F>
  void for_each_layer(F&& f) const {
    [&]<std::size_t... L>(std::index_sequence<L...>) { (f(std::integral_constant<std::size_t, L>{}), ...); }
    (layer_indices{});
  }

private:
  int phase_of(index_t q) const {
    if (!plan_.ring) return 0;
    return plan_.count % 2 && q == plan_.count - 1 ? 2 : static_cast<int>(q % 2);
  }

  double visit_one(index_t q, T* memory) const {
    const std::array<index_t, 4> places = places_of(q);
    std::tuple<quadruple_layer<T, Profiles>...> quadruple;
    double values[layer_count][4];
    for_each_layer([&](auto l) {
      auto& one = std::get<l>(quadruple);
      find_rows(std::get<l>(layers_), places, memory + static_cast<index_t>(l) * 4 * widest_, one.rows);
      one.evaluate(std::get<l>(layers_).profile, std::get<l>(layers_).data.features());
      for (int p = 0; p < 4; ++p) values[l][p] = one.pairs[p].value;
    });
    if constexpr (Gradient)
      for_each_layer([&](auto l) {
        quadruple_pulls pulls;
        for (int p = 0; p < 4; ++p) pulls.set(std::get<l>(quadruple), p, quadruple_weight(plan_, scale_, values, l, p));
        if (pulls_ != nullptr)
          pulls_[static_cast<index_t>(l) * plan_.count + q] = pulls;
        else if (pulls.fit<T>())
          pull<T>(std::get<l>(layers_), places, std::get<l>(quadruple).rows, pulls);
        else
          pull<double>(std::get<l>(layers_), places, std::get<l>(quadruple).rows, pulls);
      });
    return quadruple_value(plan_, values);
  }

  std::array<index_t, 4> places_of(index_t q) const { return {plan_.place(q, 0), plan_.place(q, 1), plan_.place(q, 2), plan_.place(q, 3)}; }

  /// The four rows where they lie; copies of them if their features stand apart.
  template <class Profile>
  void find_rows(const layer<T, Profile>& one, const std::array<index_t, 4>& places, T* memory, const T* (&to)[4]) const {
    const index_t features = one.data.features();
    for (int r = 0; r < 4; ++r) {
      const matrix_view<const T>& view = r < 2 ? one.data.source.rows : one.data.target.rows;
      const T* from = &view(places[static_cast<std::size_t>(r)], 0);
      to[r] = from;
      if (view.col_stride == 1) continue;
      T* row = memory + r * features;
      for (index_t f = 0; f < features; ++f) row[f] = from[f * view.col_stride];
      to[r] = row;
    }
  }

  /// Writes the gradient of the quadruple's pairs over the caller's four rows, or adds it.
  template <class Real, class Profile>
  void pull(const layer<T, Profile>& one, const std::array<index_t, 4>& places, const T* const (&rows)[4],
            const quadruple_pulls& pulls) const {
    const index_t features = one.data.features();
    for (int r = 0; r < 4; ++r) {
      const matrix_view<T>& view = r < 2 ? one.source_gradient : one.target_gradient;
      if (view.data == nullptr) continue;
      const quadruple_row_pull<Profile, Real> of_row(pulls, r);
      const T *x = rows[r], *y0 = rows[partner_of_row(r, 0)], *y1 = rows[partner_of_row(r, 1)];
      T* to = &view(places[static_cast<std::size_t>(r)], 0);
      const auto write = [&](index_t step) {
        if (overwrite_)
          for (index_t f = 0; f < features; ++f) to[f * step] = static_cast<T>(of_row(x, y0, y1, f));
        else
          for (index_t f = 0; f < features; ++f) to[f * step] += static_cast<T>(of_row(x, y0, y1, f));
      };
      // The constant stride lets the compiler vectorise the common case.
      if (view.col_stride == 1)
        write(1);
      else
        write(view.col_stride);
    }
  }

  /// One row's gradient from all its quadruples, in their order; written once, so that what stands there costs the sum no digits.
  template <class Profile>
  void gather_row(const layer<T, Profile>& one, const quadruple_pulls* pulls, index_t row, T* memory) const {
    const matrix_view<T>& view = one.data.is_source(row) ? one.source_gradient : one.target_gradient;
    if (view.data == nullptr) return;
    const index_t features = one.data.features();
    T* sum = memory + 4 * widest_;
    std::fill_n(sum, features, T(0));
    for (index_t e = plan_.list.starts[row]; e < plan_.list.starts[row + 1]; ++e) {
      const index_t q = plan_.list.entries[e] / 4;
      const int r = static_cast<int>(plan_.list.entries[e] % 4);
      const T* rows[4];
      find_rows(one, places_of(q), memory, rows);
      const auto add = [&]<class Real>(Real) {
        const quadruple_row_pull<Profile, Real> of_row(pulls[q], r);
        const T *x = rows[r], *y0 = rows[partner_of_row(r, 0)], *y1 = rows[partner_of_row(r, 1)];
        for (index_t f = 0; f < features; ++f) sum[f] += static_cast<T>(of_row(x, y0, y1, f));
      };
      pulls[q].fit<T>() ? add(T(0)) : add(0.0);
    }
    T* to = &view(one.data.place_of_row(row), 0);
    for (index_t f = 0; f < features; ++f) to[f * view.col_stride] = overwrite_ ? sum[f] : to[f * view.col_stride] + sum[f];
  }

  const quadruple_plan& plan_;
  const layers_tuple& layers_;
  double scale_;
  bool overwrite_;
  quadruple_pulls* pulls_;
  index_t widest_ = 0;
};

/// Fills a gradient's rows from `first` on with zeros; a view without data is left alone.
template <class Exec, class T>
void clear_rows_from(const Exec& exec, index_t first, const matrix_view<T>& view) {
  if (view.data == nullptr) return;
  constexpr index_t run = 256;
  exec.run((view.rows - first + run - 1) / run, [&](index_t task, int) {
    const index_t start = first + task * run;
    clear(view.rows_from(start, std::min(run, view.rows - start)));
  });
}

/// Value of a quadruple estimator without its constant; gradients, times `scale`, are written or added to the layers' views. Quadruples
/// that share no row form a phase and run in parallel; phases follow each other, so every row is written in one order: the same bits for
/// any number of threads. Quadruples of a list run all at once, then their rows do.
template <bool Gradient, class Accumulator, class Exec, class T, class... Profiles>
double sum_of_quadruples(const Exec& exec, const quadruple_plan& plan, const std::tuple<layer<T, Profiles>...>& layers, T scale,
                         write_mode mode, workspace& scratch) {
  using visitor_type = quadruple_visitor<Gradient, Accumulator, T, Profiles...>;
  using state = typename Accumulator::state;
  constexpr index_t per_task = 64;
  const bool is_list = plan.list.places != nullptr, gathers = Gradient && is_list;
  const bool clears = Gradient && mode == write_mode::overwrite && !is_list;
  // Disjoint quadruples write each of their rows once; what a ring's rows are added to must be 0, and so must rows in no quadruple.
  quadruple_pulls* pulls = nullptr;
  if (gathers) pulls = scratch.template allocate<quadruple_pulls>(static_cast<index_t>(sizeof...(Profiles)) * plan.count);
  const visitor_type visitor(plan, layers, scale, is_list ? mode == write_mode::overwrite : clears && !plan.ring, pulls);
  if (clears)
    visitor.for_each_layer([&](auto l) {
      clear_rows_from(exec, plan.ring ? 0 : 2 * plan.count, std::get<l>(layers).source_gradient);
      clear_rows_from(exec, plan.ring ? 0 : 2 * plan.count, std::get<l>(layers).target_gradient);
    });
  const index_t tasks = (plan.count + per_task - 1) / per_task;
  state* values = scratch.template allocate<state>(tasks);
  std::fill_n(values, tasks, state{});
  T* memory = scratch.template allocate<T>(static_cast<index_t>(exec.workers()) * visitor.row_memory());
  // A ring of odd length needs a third phase: its last quadruple touches both ends.
  const int phases = plan.ring ? (plan.count % 2 ? 3 : 2) : 1;
  for (int phase = 0; phase < phases; ++phase)
    exec.run(tasks, [&](index_t task, int worker) {
      visitor.visit(task * per_task, std::min(plan.count, (task + 1) * per_task), phase, memory + worker * visitor.row_memory(),
                    values[task]);
    });
  if (gathers) {
    constexpr index_t rows_per_task = 16;
    const index_t rows = std::get<0>(layers).data.rows();
    exec.run((rows + rows_per_task - 1) / rows_per_task, [&](index_t task, int worker) {
      visitor.gather(task * rows_per_task, std::min(rows, (task + 1) * rows_per_task), memory + worker * visitor.row_memory());
    });
  }
  state total{};
  for (index_t i = 0; i < tasks; ++i) Accumulator::merge(total, values[i]);
  return Accumulator::result(total);
}

} // namespace dalib::engine
