/// @file
/// A call with exec::mpi: checked by all ranks together, then shared among them, or done by each on all rows.
#pragma once

#include "dalib/engine/mpi/shared_rows.hpp"
#include "dalib/measure/mpi/ranked_arguments.hpp"
#include "dalib/measure/mpi/row_sums.hpp"
#include "dalib/measure/mpi/shared_costs.hpp"
#include "dalib/measure/mpi/spread_measures.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib {

namespace detail {

/// One call on all ranks.
template <class Measure, class Exec, class Call, class... Inputs>
class ranked_call {
  static constexpr std::size_t count = (tensor_count<Inputs> + ... + 0);
  using tensors_tuple = decltype(std::tuple_cat(tensors_of_input(std::declval<const Inputs&>())...));
  using T = typename std::tuple_element_t<0, tensors_tuple>::value_type;
  template <class S>
  static constexpr bool of_one_kind = std::is_same_v<S, std::tuple_element_t<0, tensors_tuple>>;

public:
  ranked_call(const Measure& measure, const Call& call, const Inputs&... inputs)
      : measure_(measure), call_(call), exec_(call.execution), inputs_(inputs...), tensors_(std::tuple_cat(tensors_of_input(inputs)...)) {
    static_assert(std::is_same_v<typename std::tuple_element_t<0, tensors_tuple>::memory, host_memory>,
                  "dalib: exec::mpi works on tensors in the host's memory");
    std::apply(
        [](const auto&... one) {
          static_assert((of_one_kind<std::remove_cvref_t<decltype(one)>> && ...),
                        "dalib: over ranks all tensors of a call must have the same scalar type, float or double");
        },
        tensors_);
  }

  auto evaluate() { return with_outputs(std::make_index_sequence<std::tuple_size_v<decltype(call_.outputs)>>{}); }

private:
  template <std::size_t... O>
  auto with_outputs(std::index_sequence<O...>) {
    std::array<matrix_view<T>, output_tensors<O...>()> out{};
    std::size_t place = 0;
    [[maybe_unused]] const auto collect = [&](const auto& output) {
      for (const matrix_view<T>& one : tensors_of_output(output)) out[place++] = one;
    };
    (collect(std::get<O>(call_.outputs)), ...);
    constexpr auto belongs = tensors_of_outputs<output_tensors<O...>()>(std::array<std::size_t, sizeof...(Inputs)>{tensor_count<Inputs>...},
                                                                        typename differentiable_inputs<Measure>::type{});
    const auto notes = checked_notes(out, belongs);
    if constexpr (spread_form<Measure>::exists && sizeof...(Inputs) == 2 && count % 2 == 0) {
      using spread = spread_call<Call::wants_gradient, Measure, Exec, T, count / 2>;
      if constexpr (spread::possible)
        if (const auto value = shared_value<spread>(notes, out, std::get<0>(std::tuple_cat(call_.outputs, std::tuple<no_output>{}))))
          return static_cast<T>(*value);
    }
    if constexpr (row_form<Measure>::exists)
      if (const auto rows = summed_rows(notes); rows.all() > exec_.gathered_rows() && rows.in_each_domain())
        return row_form<Measure>::template value<Call::wants_gradient>(measure_, exec_, rows, call_.outputs, call_.scratch);
    return gathered<O...>(notes, out, belongs);
  }

  struct no_output {
    T scale = T(1);
    write_mode mode = write_mode::overwrite;
  };

  template <std::size_t... O>
  static constexpr std::size_t output_tensors() {
    return (std::tuple_size_v<decltype(tensors_of_output(std::get<O>(std::declval<const Call&>().outputs)))> + ... + 0);
  }

  /// The first thing that ranks tell each other: whether they make the same call, with arguments that each takes to be right. What is wrong
  /// with a rank's gradients is told when the samples are known to be right.
  template <std::size_t Outputs>
  std::array<engine::tensor_notes, count> checked_notes(const std::array<matrix_view<T>, Outputs>& out,
                                                        const std::array<std::size_t, Outputs>& belongs) {
    const std::array<sample<T>, count> own = tensors();
    engine::require_same(exec_.communicator(), Measure::name, engine::fingerprint_of_type<ranked_call>(),
                         "the measure or the tensors' types");
    if constexpr (spread_form<Measure>::exists)
      engine::agree(exec_.communicator(), engine::outcome_of([&] { require_layers(own); }));
    else if constexpr (row_form<Measure>::exists)
      engine::agree(exec_.communicator(),
                    engine::outcome_of([&] { ranked_scores<T, count>{own}.require_partners(Measure::name, row_form<Measure>::partners); }));
    outputs_ = engine::outcome_of([&] {
      for (std::size_t o = 0; o < Outputs; ++o) require_gradient_shape(Measure::name, own[belongs[o]].rows, out[o]);
      require_tensors_apart(own, out);
    });
    std::array<engine::tensor_note, count> mine;
    for (std::size_t i = 0; i < count; ++i) {
      mine[i] = {own[i].rows.rows, own[i].rows.cols, own[i].rows.rows, own[i].weights != nullptr, 0};
      if (own[i].weights) mine[i].counted = std::count_if(own[i].weights, own[i].weights + own[i].rows.rows, [](T w) { return w > T(0); });
    }
    for (std::size_t o = 0; o < Outputs; ++o) mine[belongs[o]].wanted = out[o].data != nullptr;
    note_positions(mine, inputs_);
    const auto notes = engine::exchange(exec_.communicator(), mine);
    for (const engine::tensor_notes& one : notes) one.require_fitting(Measure::name);
    return notes;
  }

  std::array<sample<T>, count> tensors() const {
    return std::apply([](const auto&... one) { return std::array<sample<T>, count>{one...}; }, tensors_);
  }

  template <std::size_t Outputs>
  static void require_tensors_apart(const std::array<sample<T>, count>& own, const std::array<matrix_view<T>, Outputs>& out) {
    std::vector<element_grid> read, written(out.begin(), out.end());
    for (const sample<T>& one : own) {
      read.emplace_back(one.rows);
      if (one.weights != nullptr) read.emplace_back(weights_of(one));
    }
    require_apart(Measure::name, std::span<const element_grid>(read), std::span<const element_grid>(written));
  }

  /// This rank's rows of scores, and how many there are on all.
  ranked_scores<T, count> summed_rows(const std::array<engine::tensor_notes, count>& notes) const {
    ranked_scores<T, count> rows{tensors()};
    rows.outputs = outputs_;
    for (std::size_t i = 0; i < count; ++i) {
      rows.own[i].positions = notes[i].positions();
      rows.rows[i] = notes[i].total() * notes[i].positions();
    }
    return rows;
  }

  /// The layers of a domain are of the same samples.
  static void require_layers(const std::array<sample<T>, count>& own) {
    constexpr std::size_t layers = count / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const sample<T>& first = own[i < layers ? 0 : layers];
      require_shapes(first.rows.rows == own[i].rows.rows && first.weights == own[i].weights, Measure::name,
                     "all layers of a domain must have the same samples and weights", first.rows, own[i].rows);
      const auto &source = own[i % layers].rows, &target = own[layers + i % layers].rows;
      require_shapes(source.cols == target.cols && source.cols > 0, Measure::name,
                     "source and target must have the same number of features", source, target);
    }
  }

  template <class Spread, std::size_t Outputs, class Output>
  std::optional<double> shared_value(const std::array<engine::tensor_notes, count>& notes, const std::array<matrix_view<T>, Outputs>& out,
                                     const Output& how) {
    constexpr std::size_t layers = count / 2;
    const index_t n_s = notes[0].total(), n_t = notes[layers].total();
    if (n_s == 0 || n_t == 0 || n_s + n_t <= exec_.gathered_rows()) return std::nullopt;
    engine::agree(exec_.communicator(), outputs_);
    engine::ranked_input<T, layers> input;
    const std::array<sample<T>, count> own = tensors();
    std::array<matrix_view<T>, layers> to_source{}, to_target{};
    for (std::size_t l = 0; l < layers; ++l) {
      input.source[l] = own[l];
      input.target[l] = own[layers + l];
      input.source_notes[l] = notes[l];
      input.target_notes[l] = notes[layers + l];
      if constexpr (Outputs == count) {
        to_source[l] = out[l];
        to_target[l] = out[layers + l];
      }
    }
    const workspace_scope scope(call_.scratch);
    return Spread(measure_, exec_, input, how.scale, call_.scratch).value(to_source, to_target, how.mode);
  }

  /// All rows on all ranks: each computes the whole, and keeps its rows' gradient.
  template <std::size_t... O, std::size_t Outputs>
  auto gathered(const std::array<engine::tensor_notes, count>& notes, const std::array<matrix_view<T>, Outputs>& out,
                const std::array<std::size_t, Outputs>& belongs) {
    const mpi_communicator& ranks = exec_.communicator();
    workspace memory; // that of the call belongs to the measure
    std::array<sample<T>, count> all;
    std::array<matrix_view<T>, std::max<std::size_t>(1, Outputs)> to{};
    engine::agree(ranks, engine::outcome_of([&] {
                    for (std::size_t i = 0; i < count; ++i) {
                      all[i].rows =
                          matrix_view<const T>(memory.allocate<T>(notes[i].total() * notes[i].cols()), notes[i].total(), notes[i].cols());
                      if (notes[i].weighted()) all[i].weights = memory.allocate<T>(notes[i].total());
                    }
                    for (std::size_t o = 0; o < Outputs; ++o) {
                      const engine::tensor_notes& of = notes[belongs[o]];
                      if (of.wanted()) to[o] = matrix_view<T>(memory.allocate<T>(of.total() * of.cols()), of.total(), of.cols());
                    }
                  }));
    const std::array<sample<T>, count> own = tensors();
    for (std::size_t i = 0; i < count; ++i) {
      const workspace_mark mark(memory);
      const T* mine = engine::contiguous_rows(own[i].rows, memory);
      ranks.all_gather_rows(mine, notes[i].cols(), notes[i].row_counts(), const_cast<T*>(all[i].rows.data));
      if (notes[i].weighted()) ranks.all_gather_rows(own[i].weights, 1, notes[i].row_counts(), const_cast<T*>(all[i].weights));
    }
    auto result = evaluate_on(std::index_sequence<O...>{}, std::make_index_sequence<sizeof...(Inputs)>{}, all, to.data());
    for (std::size_t o = 0; o < Outputs; ++o) {
      if (out[o].data == nullptr) continue;
      const index_t first = notes[belongs[o]].rows_before(ranks.rank());
      give_gradient<T>(to[o].rows_from(first, out[o].rows), out[o], mode_of<O...>(o));
    }
    return result;
  }

  /// How the output is written that tensor `which` is one of.
  template <std::size_t... O>
  write_mode mode_of([[maybe_unused]] std::size_t which) const {
    write_mode mode = write_mode::overwrite;
    std::size_t first = 0;
    [[maybe_unused]] const auto look = [&](const auto& output) {
      const std::size_t size = tensors_of_output(output).size();
      if (which >= first && which < first + size) mode = output.mode;
      first += size;
    };
    (look(std::get<O>(call_.outputs)), ...);
    return mode;
  }

  template <std::size_t... O, std::size_t... I>
  auto evaluate_on(std::index_sequence<O...>, std::index_sequence<I...>, const std::array<sample<T>, count>& all,
                   const matrix_view<T>* to) {
    const std::tuple inputs{input_at<I>(std::make_index_sequence<tensor_count<Inputs>>{}, all)...};
    std::size_t place = 0;
    [[maybe_unused]] const auto output = [&](const auto& given) {
      const auto made = output_like(given, to + place);
      place += tensors_of_output(given).size();
      return made;
    };
    const std::tuple outputs{output(std::get<O>(call_.outputs))...};
    const auto own_exec = [&] {
      if constexpr (shares_rows<Measure>)
        return engine::shared_rows(exec_.communicator(), exec_.inner());
      else
        return exec_.inner();
    }();
    const measure_call<std::remove_const_t<decltype(own_exec)>, workspace,
                       std::tuple_element_t<O, std::remove_const_t<decltype(outputs)>>...>
        inner{own_exec, call_.scratch, {std::get<O>(outputs)...}};
    std::optional<decltype(measure_.evaluate(inner, std::get<I>(inputs)...))> result;
    const auto evaluate = [&] { result.emplace(measure_.evaluate(inner, std::get<I>(inputs)...)); };
    if constexpr (shares_rows<Measure>) {
      engine::fingerprint settings;
      add_settings(settings, measure_);
      engine::require_same(exec_.communicator(), Measure::name, settings.value(), "the settings, or potentials to start from,");
      agree_on(engine::refusal_of(evaluate));
    } else {
      agree_on(engine::outcome_of(evaluate));
    }
    if constexpr (std::is_floating_point_v<typename decltype(result)::value_type>) {
      engine::fingerprint value;
      value.add(*result);
      engine::require_same(exec_.communicator(), Measure::name, value.value(), "the measure's parameters, and so its value,");
    }
    return std::move(*result);
  }

  /// Of what all rows together are refused for, and behind that, of what this rank's gradients are.
  void agree_on(const engine::outcome& found) const { engine::agree(exec_.communicator(), found.refused ? found : outputs_); }

  template <std::size_t Input, std::size_t... Part>
  auto input_at(std::index_sequence<Part...>, const std::array<sample<T>, count>& all) const {
    constexpr std::array<std::size_t, sizeof...(Inputs)> counts{tensor_count<Inputs>...};
    std::size_t first = 0;
    for (std::size_t i = 0; i < Input; ++i) first += counts[i];
    return input_like(std::get<Input>(inputs_), all[first + Part]...);
  }

  const Measure& measure_;
  const Call& call_;
  const Exec& exec_;
  std::tuple<const Inputs&...> inputs_;
  tensors_tuple tensors_;
  engine::outcome outputs_; ///< what is wrong with this rank's gradients
};

} // namespace detail

template <class Inner>
struct distributed_call<exec::mpi<Inner>> {
  template <class Measure, class Call, class... Inputs>
  static auto evaluate(const Measure& measure, const Call& call, const Inputs&... inputs) {
    return detail::ranked_call<Measure, exec::mpi<Inner>, Call, Inputs...>(measure, call, inputs...).evaluate();
  }
  /// Tests of two samples; found by the options' type.
  template <class Test, class ZS, class ZT, class Options>
  static auto test(const Test& test, const exec::mpi<Inner>& exec, const ZS& zs, const ZT& zt, const Options& options) {
    static_assert(
        requires { test_over_ranks(test, exec, zs, zt, options); }, "dalib: include dalib/inference/mpi.hpp for tests over ranks");
    return test_over_ranks(test, exec, zs, zt, options);
  }
};

} // namespace dalib
