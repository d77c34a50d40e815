/// @file
/// The measures whose pairs the ranks share.
#pragma once

#include "dalib/engine/mpi/travelling_pairs.hpp"
#include "dalib/engine/term_values.hpp"
#include "dalib/measure/energy_distance.hpp"
#include "dalib/measure/joint_mmd.hpp"
#include "dalib/measure/mmd.hpp"
#include "dalib/measure/multi_kernel.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace dalib {

namespace detail {

/// Whether an estimator is a sum over all pairs, or a sum of such.
template <class Estimator>
struct takes_all_pairs {
  template <class Parts>
  struct all_of;
  template <class... Part>
  struct all_of<std::tuple<Part...>> {
    static constexpr bool value = (takes_all_pairs<Part>::value && ...);
  };
  static constexpr bool look() {
    if constexpr (full_pair_estimator<Estimator>)
      return true;
    else if constexpr (composite_estimator<Estimator>)
      return all_of<std::remove_cvref_t<decltype(std::declval<const Estimator&>().parts())>>::value;
    else
      return false;
  }
  static constexpr bool value = look();
};

/// How a measure's pairs are shared: its kernels, one for each layer, its estimator, and whether its kernels have weights of their own.
template <class Measure>
struct spread_form {
  static constexpr bool exists = false;
};
template <class Kernel, class Estimator, class Accumulator>
struct spread_form<mmd<Kernel, Estimator, Accumulator>> {
  static constexpr bool exists = takes_all_pairs<Estimator>::value;
  using accumulator = Accumulator;
  static std::tuple<Kernel> kernels(const mmd<Kernel, Estimator, Accumulator>& m) { return {m.kernel}; }
};
template <class Kernels, class Estimator, class Accumulator>
struct spread_form<joint_mmd<Kernels, Estimator, Accumulator>> {
  static constexpr bool exists = takes_all_pairs<Estimator>::value;
  using accumulator = Accumulator;
  static const Kernels& kernels(const joint_mmd<Kernels, Estimator, Accumulator>& m) { return m.kernels; }
};
template <class Estimator>
struct spread_form<energy_distance<Estimator>> {
  static constexpr bool exists = takes_all_pairs<Estimator>::value;
  using accumulator = dalib::accumulator::plain;
  static auto kernels(const energy_distance<Estimator>& m) { return std::tuple{kernel::distance_power{m.exponent}}; }
};
template <class Kernel, class Estimator, class Rule>
struct spread_form<weighted_mmd<Kernel, Estimator, Rule>> {
  static constexpr bool exists = full_pair_estimator<Estimator>;
  using accumulator = dalib::accumulator::plain;
  using rule = Rule;
  static std::tuple<Kernel> kernels(const weighted_mmd<Kernel, Estimator, Rule>& m) { return {m.kernel}; }
};

/// What a kernel is bound with to see what it asks for: any numbers.
struct probe_data {
  bool* median_asked;
  std::vector<std::pair<bandwidth::running_state*, bandwidth::running_state>>* states;

  double mean_squared_distance() const { return 1; }
  double median_squared_distance() const {
    *median_asked = true;
    return 1;
  }
  void remember(bandwidth::running_state& state) const { states->emplace_back(&state, state); }
};

/// Whether a kernel's bandwidth looks at the median. @throws what its bandwidth rule throws; running averages are as they were.
template <class Kernel>
bool asks_for_median(const Kernel& kernel) {
  bool asked = false;
  std::vector<std::pair<bandwidth::running_state*, bandwidth::running_state>> states;
  const auto found = engine::outcome_of([&] { static_cast<void>(dalib::bind(kernel, probe_data{&asked, &states})); });
  for (auto last = states.rbegin(); last != states.rend(); ++last) *last->first = last->second;
  if (found.refused) DALIB_THROW(std::invalid_argument(found.message));
  return asked;
}

/// A few values of a bound kernel: different parameters on different ranks show.
template <class Profile>
void add_values(engine::fingerprint& all, const Profile& profile) {
  using list = dalib::statistics_of<Profile>;
  for (const double at : {0.0, 0.3, 1.0, 7.0, 150.0}) {
    double statistics[list::size];
    std::fill_n(statistics, list::size, at);
    all.add(static_cast<double>(dalib::evaluate<list>(profile, statistics).value));
  }
}

/// The value, and gradients if wanted, of a measure whose rows are spread; none if these rows need care that only one machine can give.
template <bool Gradient, class Measure, class Exec, class T, std::size_t Layers>
class spread_call {
  using form = spread_form<Measure>;
  using input = engine::ranked_input<T, Layers>;
  using call_data = bandwidth::call_data<engine::sample_summary<T>, workspace>;
  using summaries_array = std::array<engine::sample_summary<T>, Layers>;
  using kernels_tuple = std::remove_cvref_t<decltype(form::kernels(std::declval<const Measure&>()))>;
  template <std::size_t L>
  using profile = bound_kernel<std::tuple_element_t<L, kernels_tuple>, call_data>;

public:
  /// Whether it may be spread at all: a kernel that is nothing but linear needs no pairs.
  static constexpr bool possible = [] {
    if constexpr (Layers == 1)
      return !kernel::linear_multiple<profile<0>>::exists;
    else
      return true;
  }();

  spread_call(const Measure& measure, const Exec& exec, const input& rows, T scale, workspace& scratch)
      : measure_(measure), exec_(exec), input_(rows), scale_(scale), scratch_(scratch) {}

  std::optional<double> value(const std::array<matrix_view<T>, Layers>& to_source, const std::array<matrix_view<T>, Layers>& to_target,
                              write_mode mode) {
    return run(std::make_index_sequence<Layers>{}, to_source, to_target, mode);
  }

private:
  const mpi_communicator& ranks() const { return exec_.communicator(); }

  template <std::size_t... L>
  std::optional<double> run(std::index_sequence<L...>, const std::array<matrix_view<T>, Layers>& to_source,
                            const std::array<matrix_view<T>, Layers>& to_target, write_mode mode) {
    const auto kernels = form::kernels(measure_);
    bool median = false;
    std::optional<engine::spread_rows<T, Layers>> rows;
    engine::agree(ranks(), engine::outcome_of([&] {
                    median = (asks_for_median(std::get<L>(kernels)) || ...);
                    rows.emplace(ranks(), input_, Gradient, scratch_);
                  }));
    median = ranks().smallest(median ? 0 : 1) == 0;
    rows->deal_rows(exec_.inner());
    rows->find_moments(exec_.inner());
    const summaries_array summaries{rows->summary(L, median ? rows->rows_for_median(L) : engine::joint_sample<T>{})...};
    if (((engine::unit_exponent<T>(summaries[L].mean_squared_distance()) != 0) || ...)) return std::nullopt;
    if constexpr (engine::takes_double<T, profile<L>...>)
      if ((engine::lies_far(summaries[L]) || ...)) return std::nullopt;

    const sample_sizes sizes = rows->sizes(Measure::name);
    bandwidth::state_journal journal;
    std::optional<std::tuple<engine::layer<T, profile<L>>...>> layers;
    engine::fingerprint settings;
    engine::agree(ranks(), engine::outcome_of([&] {
                    layers.emplace(engine::layer<T, profile<L>>{
                        {}, &summaries[L], dalib::bind(std::get<L>(kernels), call_data{&summaries[L], &scratch_, &journal}), {}, {}}...);
                    (add_values(settings, std::get<L>(*layers).profile), ...);
                    add_coefficients(settings, measure_.estimator, sizes);
                  }));
    engine::require_same(ranks(), Measure::name, settings.value(), "kernel or estimator parameters");
    const double found = sum_of(*rows, *layers, sizes);
    if constexpr (Gradient) rows->return_gradients(exec_.inner(), to_source, to_target, mode);
    return found;
  }

  /// @throws what the estimator throws for these sizes
  template <class Estimator>
  static void add_coefficients(engine::fingerprint& all, const Estimator& estimator, const sample_sizes& sizes) {
    if constexpr (composite_estimator<Estimator>) {
      std::apply([&](const auto&... part) { (add_coefficients(all, part, sizes), ...); }, estimator.parts());
    } else {
      const pair_coefficients pairs = estimator.coefficients(sizes);
      for (const double number : {pairs.within_source, pairs.within_target, pairs.across, pairs.constant}) all.add(number);
      all.add(pairs.distinct);
    }
  }

  /// What a visitor adds up over all pairs of all ranks' rows.
  template <class Accumulator, class Visitor, class... Profiles>
  auto visit(engine::spread_rows<T, Layers>& rows, const Visitor& visitor, const pair_coefficients& coefficients,
             const std::tuple<engine::layer<T, Profiles>...>& layers) {
    const workspace_mark mark(scratch_);
    using pairs_type = engine::block_pairs<Visitor, T, Profiles...>;
    const pairs_type pairs(visitor, coefficients, layers, scale_);
    std::optional<engine::travelling_pairs<pairs_type, Accumulator, T, Layers>> tournament;
    engine::agree(ranks(), engine::outcome_of([&] { tournament.emplace(rows, pairs, exec_.inner().workers(), scratch_); }));
    const auto found = tournament->play(exec_.inner());
    return found;
  }

  template <bool Pull, class Estimator, class... Profiles>
  double estimate(engine::spread_rows<T, Layers>& rows, const Estimator& estimator, const std::tuple<engine::layer<T, Profiles>...>& layers,
                  const sample_sizes& sizes) {
    if constexpr (composite_estimator<Estimator>) {
      double total = 0;
      std::apply([&](const auto&... part) { ((total += estimate<Pull>(rows, part, layers, sizes)), ...); }, estimator.parts());
      return total;
    } else {
      const pair_coefficients pairs = estimator.coefficients(sizes);
      const auto sum = [&](const auto& all) {
        return visit<typename form::accumulator>(rows, engine::sum_visitor<Pull>{}, pairs, all)[0] + pairs.constant;
      };
      if constexpr (sizeof...(Profiles) == 1 && (kernel::has_centred_terms<Profiles> && ...))
        if (pairs.rows_cancel(sizes.source_weight, sizes.target_weight))
          return sum(std::tuple{engine::with_centred_terms(std::get<0>(layers))});
      return sum(layers);
    }
  }

  template <class... Profiles>
  double sum_of(engine::spread_rows<T, Layers>& rows, const std::tuple<engine::layer<T, Profiles>...>& layers, const sample_sizes& sizes) {
    if constexpr (requires { typename form::rule; })
      return weighted_sum(rows, std::get<0>(layers), sizes);
    else
      return estimate<Gradient>(rows, measure_.estimator, layers, sizes);
  }

  /// As weighted_mmd does it: each kernel alone, their weights, and the gradient of the weighted sum.
  template <class Profile>
  double weighted_sum(engine::spread_rows<T, Layers>& rows, const engine::layer<T, Profile>& one, const sample_sizes& sizes) {
    std::vector<double> values;
    kernel::for_each_term(one.profile, [&](const auto&) { values.push_back(0); });
    if constexpr (engine::terms_in_one_pass<std::remove_cvref_t<decltype(measure_.estimator)>, Profile>) {
      const pair_coefficients pairs = measure_.estimator.coefficients(sizes);
      const engine::term_visitor<kernel::most_terms<Profile>> visitor{static_cast<int>(values.size())};
      const auto found = visit<accumulator::plain>(rows, visitor, pairs, std::tuple{one});
      for (std::size_t k = 0; k < values.size(); ++k) values[k] = found[static_cast<int>(k)] + pairs.constant;
    } else {
      std::size_t place = 0;
      kernel::for_each_term(one.profile, [&](const auto& term) {
        using term_layer = engine::layer<T, std::remove_cvref_t<decltype(term)>>;
        values[place++] = estimate<false>(rows, measure_.estimator, std::tuple{term_layer{{}, one.summary, term, {}, {}}}, sizes);
      });
    }
    const std::vector<double> beta = measure_.rule.weights(values).normalised;
    if constexpr (Gradient) {
      const auto weighted_kernel = kernel::with_weights(one.profile, beta);
      using weighted_layer = engine::layer<T, std::remove_const_t<decltype(weighted_kernel)>>;
      estimate<true>(rows, measure_.estimator, std::tuple{weighted_layer{{}, one.summary, weighted_kernel, {}, {}}}, sizes);
    }
    return std::inner_product(beta.begin(), beta.end(), values.begin(), 0.0);
  }

  const Measure& measure_;
  const Exec& exec_;
  const input& input_;
  T scale_;
  workspace& scratch_;
};

} // namespace detail
} // namespace dalib
