/// @file
/// Row losses over ranks: each rank does its own rows, and only sums travel.
#pragma once

#include "dalib/engine/mpi/agreement.hpp"
#include "dalib/engine/mpi/exact_sums.hpp"
#include "dalib/measure/class_balance.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"
#include "dalib/measure/conditional_domain_adversarial.hpp"
#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/margin_disparity.hpp"
#include "dalib/measure/mpi/ranked_arguments.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace dalib::detail {

/// A rank's rows of every tensor of a call, and the numbers of rows of all ranks together.
template <class T, std::size_t Count>
struct ranked_scores {
  std::array<class_rows<const T>, Count> own{};
  std::array<index_t, Count> rows{};
  engine::outcome outputs{}; ///< what is wrong with this rank's gradients

  explicit ranked_scores(const std::array<sample<T>, Count>& tensors) {
    for (std::size_t i = 0; i < Count; ++i) own[i].tensor = tensors[i].rows;
  }
  index_t classes(std::size_t i) const { return own[i].classes(); }
  index_t all() const {
    index_t sum = 0;
    for (const index_t count : rows) sum += count;
    return sum;
  }
  bool in_each_domain() const {
    for (const index_t count : rows)
      if (count == 0) return false;
    return true;
  }
  /// Tensor i has the samples of tensor partners[i].
  void require_partners(const char* measure, const std::array<std::size_t, Count>& partners) const {
    for (std::size_t i = 0; i < Count; ++i)
      require_shapes(own[i].tensor.rows == own[partners[i]].tensor.rows, measure,
                     "tensors of the same samples must have as many rows on every rank", own[partners[i]].tensor, own[i].tensor);
  }
};

/// What the sums of a call are made with: every rank its own rows, then all ranks together.
template <class Exec>
struct row_adder {
  const Exec& exec;
  workspace& scratch;

  /// Sum of the values that `task` gives all ranks' rows.
  template <class T, class Task>
  double values(const engine::row_problem& rows, const Task& task) const {
    engine::exact_sums sum(1);
    engine::add_values<T>(exec.inner(), rows, task, sum, scratch);
    sum.add_up(exec.communicator());
    return sum.value(0);
  }
};

/// A measure's value of rows that are alike: as many of each tensor as `all` ranks have together, or one.
template <class Measure, class T, std::size_t Count>
double value_of_probe(const Measure& measure, const ranked_scores<T, Count>& rows, bool all) {
  std::array<std::vector<T>, Count> numbers;
  std::array<positioned_rows<T>, Count> probes{};
  for (std::size_t i = 0; i < Count; ++i) {
    const auto& [tensor, positions] = rows.own[i];
    for (index_t c = 0; c < tensor.cols; ++c)
      numbers[i].push_back(static_cast<T>(0.5 + 0.4 * std::sin(static_cast<double>(c * 7 + static_cast<index_t>(i) + 1))));
    probes[i] = {matrix_view<const T>(numbers[i].data(), all ? rows.rows[i] / positions : 1, tensor.cols, 0, 1), positions};
  }
  const exec::serial alone;
  workspace memory;
  const measure_call<exec::serial, workspace> call{alone, memory, {}};
  return static_cast<double>(std::apply([&](const auto&... one) { return measure.evaluate(call, one...); }, probes));
}

/// Runs a measure on a row of every tensor: it refuses what it does not take, with the shapes of all rows, and its value shows on which
/// rank its parameters are others.
template <class Measure, class Exec, class T, std::size_t Count>
void require_alike(const Measure& measure, const Exec& exec, const ranked_scores<T, Count>& rows) {
  engine::fingerprint value;
  engine::outcome own = engine::outcome_of([&] { value.add(value_of_probe(measure, rows, false)); });
  if (own.refused)
    own = engine::outcome_of([&] { value_of_probe(measure, rows, true); });
  else
    own = rows.outputs;
  engine::agree(exec.communicator(), own);
  engine::require_same(exec.communicator(), Measure::name, value.value(), "the measure's parameters");
}

/// How a measure is a sum over rows: which tensors have the same rows, and its value, with the gradients of this rank's rows.
template <class Measure>
struct row_form {
  static constexpr bool exists = false;
};

/// The output of a call, or what stands for one that is not wanted.
template <std::size_t Which, class T, class Outputs>
gradients<T> row_gradients(const Outputs& outputs) {
  if constexpr (Which < std::tuple_size_v<Outputs>)
    return std::get<Which>(outputs);
  else
    return no_gradients<T, host_memory>();
}

template <class Reduction>
struct row_form<domain_adversarial<Reduction>> {
  static constexpr bool exists = !Reduction::per_sample;
  static constexpr std::array<std::size_t, 2> partners{0, 1};

  template <bool Gradient, class Exec, class T, class Outputs>
  static T value(const domain_adversarial<Reduction>& measure, const Exec& exec, const ranked_scores<T, 2>& rows, const Outputs& outputs,
                 workspace& scratch) {
    require_alike(measure, exec, rows);
    const workspace_scope scope(scratch);
    const matrix_view<const T> source = rows.own[0].tensor, target = rows.own[1].tensor;
    const auto factor = [&](std::size_t domain) { return static_cast<T>(0.5 * Reduction::factor(rows.rows[domain])); };
    const adversarial_task<T, host_memory> task{source, target, row_gradients<0, T>(outputs), factor(0), factor(1)};
    return static_cast<T>(row_adder<Exec>{exec, scratch}.template values<T>({source.rows, target.rows, 1, 1}, task));
  }
};

template <class Reduction, class Term>
struct row_form<margin_disparity<Reduction, Term>> {
  static constexpr bool exists = !Reduction::per_sample;
  static constexpr std::array<std::size_t, 4> partners{0, 0, 2, 2};

  template <bool Gradient, class Exec, class T, class Outputs>
  static T value(const margin_disparity<Reduction, Term>& measure, const Exec& exec, const ranked_scores<T, 4>& rows,
                 const Outputs& outputs, workspace& scratch) {
    require_alike(measure, exec, rows);
    const workspace_scope scope(scratch);
    const auto& [y_s, a_s, y_t, a_t] = rows.own;
    const margin_task<Gradient, T, host_memory, Term> task{y_s,
                                                           a_s,
                                                           y_t,
                                                           a_t,
                                                           row_gradients<0, T>(outputs),
                                                           static_cast<T>(measure.margin * Reduction::factor(rows.rows[0])),
                                                           static_cast<T>(Reduction::factor(rows.rows[2])),
                                                           Term::needs_others && rows.classes(0) == 1,
                                                           measure.target_term};
    return static_cast<T>(row_adder<Exec>{exec, scratch}.template values<T>({y_s.rows(), y_t.rows(), 1, rows.classes(0)}, task));
  }
};

template <class Scores, class Reduction>
struct row_form<classifier_discrepancy<Scores, Reduction>> {
  static constexpr bool exists = !Reduction::per_sample;
  static constexpr std::array<std::size_t, 2> partners{0, 0};

  template <bool Gradient, class Exec, class T, class Outputs>
  static T value(const classifier_discrepancy<Scores, Reduction>& measure, const Exec& exec, const ranked_scores<T, 2>& rows,
                 const Outputs& outputs, workspace& scratch) {
    require_alike(measure, exec, rows);
    const workspace_scope scope(scratch);
    const index_t classes = rows.classes(0);
    const T factor = static_cast<T>(Reduction::factor(rows.rows[0]) / static_cast<double>(classes));
    const discrepancy_task<Gradient, T, host_memory, Scores> task{rows.own[0], rows.own[1], row_gradients<0, T>(outputs), factor};
    return static_cast<T>(row_adder<Exec>{exec, scratch}.template values<T>({rows.own[0].rows(), 0, 3, classes}, task));
  }
};

template <class Scores>
struct row_form<class_balance<Scores>> {
  static constexpr bool exists = true;
  static constexpr std::array<std::size_t, 1> partners{0};

  template <bool Gradient, class Exec, class T, class Outputs>
  static T value(const class_balance<Scores>& measure, const Exec& exec, const ranked_scores<T, 1>& rows, const Outputs& outputs,
                 workspace& scratch) {
    require_alike(measure, exec, rows);
    const workspace_scope scope(scratch);
    const class_rows<const T>& own = rows.own[0];
    const index_t classes = own.classes(), columns = Scores::sum_to_one ? 2 : 1;
    engine::exact_sums exact(columns * classes);
    engine::add_classes<T>(exec.inner(), {own.rows(), 0, columns, classes}, probabilities_task<T, host_memory, Scores>{own}, exact,
                           scratch);
    exact.add_up(exec.communicator());
    std::vector<double> sums;
    for (index_t c = 0; c < exact.count(); ++c) sums.push_back(exact.value(c));
    const mean_predictions means(sums, static_cast<double>(rows.rows[0]), classes);
    double value = 0;
    for (index_t c = 0; c < classes; ++c) value -= std::log(means[c] + measure.offset) / static_cast<double>(classes);
    if constexpr (Gradient) {
      const gradient<T>& out = std::get<0>(outputs);
      std::vector<T> table;
      for (index_t c = 0; c < classes; ++c) table.push_back(static_cast<T>(means.plain(c)));
      for (index_t c = 0; c < classes; ++c) table.push_back(static_cast<T>(means.rest(c)));
      for (index_t c = 0; c < classes; ++c) table.push_back(static_cast<T>(1 / (means[c] + measure.offset)));
      const T share = static_cast<T>(1 / (static_cast<double>(classes) * static_cast<double>(rows.rows[0])));
      if (out.target.data)
        engine::visit_groups<T>(exec.inner(), {own.rows(), 0, 2, classes},
                                balance_gradient_task<T, host_memory, Scores>{own, out, {table.data(), classes, share}}, scratch);
    }
    return static_cast<T>(value);
  }
};

template <class Conditioning, class Reduction, class CrossEntropy>
struct row_form<conditional_domain_adversarial<Conditioning, Reduction, CrossEntropy>> {
  static constexpr bool exists = !Reduction::per_sample;
  static constexpr std::array<std::size_t, 4> partners{0, 1, 0, 1};
  using measure_type = conditional_domain_adversarial<Conditioning, Reduction, CrossEntropy>;

  template <bool Gradient, class Exec, class T, class Outputs>
  static T value(const measure_type& measure, const Exec& exec, const ranked_scores<T, 4>& rows, const Outputs& outputs,
                 workspace& scratch) {
    require_alike(measure, exec, rows);
    const workspace_scope scope(scratch);
    const auto& [l_s, l_t, g_s, g_t] = rows.own;
    const index_t samples = l_s.rows() + l_t.rows(), classes = g_s.classes();
    const weights_to<T> weights{scratch.allocate<T>(samples), scratch.allocate<T>(samples)};
    weigh(measure.conditioning, exec, rows, weights, scratch);
    const gradients<T> out = row_gradients<0, T>(outputs), class_out = row_gradients<1, T>(outputs);
    const bool pulls = Gradient && (class_out.source.data != nullptr || class_out.target.data != nullptr);
    T* const slopes = pulls ? scratch.allocate<T>(samples) : nullptr;
    const T factor = static_cast<T>(Reduction::factor(rows.rows[0] + rows.rows[1]));
    const conditional_task<Gradient, T, host_memory, CrossEntropy> task{l_s.tensor,     l_t.tensor, out,   weights.values,
                                                                        weights.slopes, slopes,     factor};
    const T value = static_cast<T>(row_adder<Exec>{exec, scratch}.template values<T>({l_s.rows(), l_t.rows(), 1, 1}, task));
    if (pulls) {
      const T scale = measure.conditioning.reverses_entropy() ? static_cast<T>(-measure.entropy_reversal) * class_out.scale : T(0);
      engine::visit_groups<T>(
          exec.inner(), {g_s.rows(), g_t.rows(), 2, classes},
          entropy_gradient_task<T, host_memory>{g_s, g_t, class_out, slopes, scale, static_cast<double>(measure.conditioning.offset)},
          scratch);
    }
    return value;
  }

private:
  /// As weigh_samples, normalised by the sums of all ranks' weights.
  template <class Exec, class T>
  static void weigh(const Conditioning& conditioning, const Exec& exec, const ranked_scores<T, 4>& rows, const weights_to<T>& to,
                    workspace& scratch) {
    const class_rows<const T>&g_s = rows.own[2], &g_t = rows.own[3];
    const index_t source = g_s.rows(), target = g_t.rows();
    if constexpr (std::is_same_v<Conditioning, conditioning::none>) {
      engine::for_each_row(exec.inner(), source + target, plain_weight_task<T>{to.values, to.slopes});
    } else {
      engine::visit_groups<T>(exec.inner(), {source, target, 1, g_s.classes()},
                              weigh_task<T, host_memory, Conditioning>{g_s, g_t, conditioning, to.values, to.slopes}, scratch);
      engine::exact_sums sums(2);
      for (index_t i = 0; i < source + target; ++i) sums.add(i < source ? 0 : 1, static_cast<double>(to.values[i]));
      sums.add_up(exec.communicator());
      const domain_factors factors = conditioning.normalise({rows.rows[0], rows.rows[1], sums.value(0), sums.value(1)});
      engine::for_each_row(
          exec.inner(), source + target,
          scale_weight_task<T>{to.values, to.slopes, source, static_cast<T>(factors.source), static_cast<T>(factors.target)});
    }
  }
};

} // namespace dalib::detail
