/// @file
/// From kernels and an estimator to numbers: binds bandwidths on the data and hands the problem to the engine that the estimator needs.
#pragma once

#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/host/row_unit.hpp"
#include "dalib/engine/in_double.hpp"
#include "dalib/engine/linear.hpp"
#include "dalib/engine/quadruple_list.hpp"
#include "dalib/engine/sample/state_journal.hpp"
#include "dalib/estimator/estimators.hpp"
#include "dalib/kernel/centred_terms.hpp"

#include <tuple>
#include <utility>

namespace dalib::engine {

/// One layer as a measure gives it: rows, a kernel with its bandwidth rule, and where the gradients go (no data: not wanted).
template <class T, class Kernel, class Memory = host_memory>
struct layer_input {
  joint_sample<T, Memory> data;
  Kernel kernel;
  matrix_view<T, Memory> source_gradient;
  matrix_view<T, Memory> target_gradient;
};

/// Whose estimate it is, for messages, and how the gradients are written.
template <class T>
struct estimate_rule {
  const char* measure;
  T scale = T(1);
  write_mode mode = write_mode::overwrite;
};

/// Sizes and weights that an estimator asks for.
template <class T, class Memory>
sample_sizes sizes_of(const joint_sample<T, Memory>& data, const char* measure) {
  return {data.source.rows.rows,
          data.target.rows.rows,
          backend<Memory>::total_weight(data.source),
          backend<Memory>::total_weight(data.target),
          data.source.weights != nullptr || data.target.weights != nullptr,
          data.features(),
          measure};
}

/// sum_{x,y} c(x, y) prod_l k_l(x_l, y_l) over all ordered pairs of rows; with `Gradient` also the layers' gradients.
template <bool Gradient, class Accumulator, class Exec, class Coefficients, class T, class Memory, class... Profiles>
double pairwise_sum(const Exec& exec, const Coefficients& coefficients, const std::tuple<layer<T, Profiles, Memory>...>& layers,
                    gradient_rule<T> rule, workspace_of<Memory>& scratch) {
  return backend<Memory>::template visit_pairs<Accumulator>(exec, sum_visitor<Gradient>{}, coefficients, layers, rule, scratch)[0];
}

template <bool Gradient, class Accumulator, class Exec, class Estimator, class T, class Memory, class... Profiles>
double estimate_blocks(const Exec& exec, const Estimator& estimator, const std::tuple<layer<T, Profiles, Memory>...>& layers,
                       estimate_rule<T> rule, workspace_of<Memory>& scratch);
template <class Estimator, class T, class Memory>
void require_accepted(const Estimator& estimator, const joint_sample<T, Memory>& data, const char* measure);

/// The layer with the linear terms of its kernel taken around a mean: the same sum wherever every row's coefficients add up to 0, but for
/// its rounding.
template <class T, class Profile, class Memory>
auto with_centred_terms(const layer<T, Profile, Memory>& one) {
  using form = kernel::centred_terms<Profile>;
  return layer<T, typename form::type, Memory>{one.data, one.summary, form::of(one.profile), one.source_gradient, one.target_gradient};
}

/// sum c k over all pairs of one layer or several: from the domains' means if one layer's kernel is linear, by the pairs otherwise.
template <bool Gradient, class Accumulator, class Exec, class T, class Memory, class... Profiles>
double estimate_pairs(const Exec& exec, const domain_coefficients<T, Memory>& coefficients, const sample_sizes& sizes,
                      const std::tuple<layer<T, Profiles, Memory>...>& layers, estimate_rule<T> rule, workspace_of<Memory>& scratch) {
  const auto sum = [&](const auto& all) {
    return with_units(exec, rule.measure, all, scratch, [&](const auto& in_range) {
      return pairwise_sum<Gradient, Accumulator>(exec, coefficients, in_range, gradient_rule<T>{rule.scale, rule.mode}, scratch);
    });
  };
  const bool cancel = coefficients.pairs.rows_cancel(sizes.source_weight, sizes.target_weight);
  if constexpr (sizeof...(Profiles) == 1 && (kernel::linear_multiple<Profiles>::exists && ...)) {
    const auto& [one] = layers;
    const linear_form form{coefficients.pairs, (kernel::linear_multiple<Profiles>::of(one.profile), ...), cancel};
    return linear_sum<Gradient>(exec, one, form, rule.scale, rule.mode, scratch);
  } else {
    if constexpr (sizeof...(Profiles) == 1 && (kernel::has_centred_terms<Profiles> && ...))
      if (cancel) return sum(std::tuple{with_centred_terms(std::get<0>(layers))});
    return sum(layers);
  }
}

/// Whether rows far from 0 have to be taken as double: linear terms of a single layer never do.
template <class T, class... Profiles>
inline constexpr bool takes_double = (reads_far_products<T, Profiles>::value || ...);
template <class T, class Profile>
inline constexpr bool takes_double<T, Profile> = reads_far_products<T, typename kernel::centred_terms<Profile>::type>::value;

/// The estimate of sum c prod_l k_l for bound layers.
template <bool Gradient, class Accumulator, class Exec, class Estimator, class T, class Memory, class... Profiles>
double estimate_bound(const Exec& exec, const Estimator& estimator, const std::tuple<layer<T, Profiles, Memory>...>& layers,
                      estimate_rule<T> rule, workspace_of<Memory>& scratch) {
  const joint_sample<T, Memory>& data = std::get<0>(layers).data;
  const sample_sizes sizes = sizes_of(data, rule.measure);
  if constexpr (full_pair_estimator<Estimator>) {
    if constexpr (takes_double<T, Profiles...>)
      if (std::apply([](const auto&... one) { return (is_far(one) || ...); }, layers))
        return in_double(exec, layers, rule.mode, scratch, [&](const auto& wide) {
          const estimate_rule<double> own{rule.measure, static_cast<double>(rule.scale)};
          return estimate_bound<Gradient, Accumulator>(exec, estimator, wide, own, scratch);
        });
    const domain_coefficients<T, Memory> coefficients{data, estimator.coefficients(sizes)};
    return estimate_pairs<Gradient, Accumulator>(exec, coefficients, sizes, layers, rule, scratch) + coefficients.pairs.constant;
  } else if constexpr (quadruple_estimator<Estimator>) {
    const quadruple_plan plan = plan_of(exec, estimator, sizes, scratch);
    const auto sum = [&](const auto& all) {
      return backend<Memory>::template sum_of_quadruples<Gradient, Accumulator>(exec, plan, all, rule.scale, rule.mode, scratch) +
             plan.constant;
    };
    if constexpr (sizeof...(Profiles) == 1 && (kernel::has_centred_terms<Profiles> && ...))
      if (plan.within == plan.across) return sum(std::tuple{with_centred_terms(std::get<0>(layers))});
    return sum(layers);
  } else if constexpr (composite_estimator<Estimator>) {
    require_accepted(estimator, data, rule.measure);
    const auto add = [&](double before, const auto& part) { // the first writes, the others add
      const double value = before + estimate_bound<Gradient, Accumulator>(exec, part, layers, rule, scratch);
      rule.mode = write_mode::accumulate;
      return value;
    };
    return std::apply(
        [&](const auto&... part) {
          double total = 0;
          ((total = add(total, part)), ...);
          return total;
        },
        estimator.parts());
  } else {
    return estimate_blocks<Gradient, Accumulator>(exec, estimator, layers, rule, scratch);
  }
}

/// Rows [first, first + count) of a view, or no data if there is none.
template <class T, class Memory>
matrix_view<T, Memory> rows_of(const matrix_view<T, Memory>& view, index_t first, index_t count) {
  return view.data ? view.rows_from(first, count) : view;
}

/// Rows [first, first + count) of both domains, with their weights.
template <class T, class Memory>
joint_sample<T, Memory> block_of(const joint_sample<T, Memory>& data, index_t first, index_t count) {
  const auto part = [&](const sample<T, Memory>& one) {
    return sample<T, Memory>{one.rows.rows_from(first, count), one.weights ? one.weights + first : nullptr};
  };
  return {part(data.source), part(data.target)};
}

/// Throws what the estimator throws for these data, so that a refusal comes before any output is touched.
template <class Estimator, class T, class Memory>
void require_accepted(const Estimator& estimator, const joint_sample<T, Memory>& data, const char* measure) {
  const sample_sizes sizes = sizes_of(data, measure);
  if constexpr (full_pair_estimator<Estimator>) {
    static_cast<void>(estimator.coefficients(sizes));
  } else if constexpr (quadruple_estimator<Estimator>) {
    static_cast<void>(estimator.plan(sizes));
  } else if constexpr (composite_estimator<Estimator>) {
    std::apply([&](const auto&... part) { (require_accepted(part, data, measure), ...); }, estimator.parts());
  } else {
    const index_t rows = estimator.block_rows(sizes);
    for (index_t first = 0; first + rows <= std::min(sizes.source, sizes.target); first += rows)
      require_accepted(estimator.within, block_of(data, first, rows), measure);
  }
}

/// Calls use(layers) with the same layers around means of their own rows: rows that are in none of them are not looked at.
template <class Exec, class T, class Memory, class... Profiles, class Use>
auto with_own_means(const Exec& exec, const std::tuple<layer<T, Profiles, Memory>...>& layers, workspace_of<Memory>& scratch,
                    const Use& use) {
  using summary = sample_summary<T, Memory>;
  return std::apply(
      [&](const auto&... one) {
        const std::array<summary, sizeof...(Profiles)> summaries{summary(exec, one.data, scratch)...};
        std::size_t place = 0;
        const auto centred = [&](auto part) {
          part.summary = &summaries[place++];
          return part;
        };
        return use(std::tuple<layer<T, Profiles, Memory>...>{centred(one)...});
      },
      layers);
}

/// Mean over blocks of the inner estimator. Blocks are visited in order; the pairs inside each run in parallel.
template <bool Gradient, class Accumulator, class Exec, class Estimator, class T, class Memory, class... Profiles>
double estimate_blocks(const Exec& exec, const Estimator& estimator, const std::tuple<layer<T, Profiles, Memory>...>& layers,
                       estimate_rule<T> rule, workspace_of<Memory>& scratch) {
  const sample_sizes sizes = sizes_of(std::get<0>(layers).data, rule.measure);
  require_accepted(estimator, std::get<0>(layers).data, rule.measure);
  const index_t rows = estimator.block_rows(sizes);
  const index_t blocks = std::min(sizes.source, sizes.target) / rows;
  typename Accumulator::state total{};
  const auto part_of = [&](const auto& one, index_t first) {
    auto part = one;
    part.data = block_of(one.data, first, rows);
    part.source_gradient = rows_of(one.source_gradient, first, rows);
    part.target_gradient = rows_of(one.target_gradient, first, rows);
    return part;
  };
  for (index_t block = 0; block < blocks; ++block) {
    const workspace_mark mark(scratch);
    const auto parts = std::apply([&](const auto&... one) { return std::tuple{part_of(one, block * rows)...}; }, layers);
    const estimate_rule<T> inner{rule.measure, rule.scale / static_cast<T>(blocks), rule.mode};
    const auto estimate = [&](const auto& own) {
      return estimate_bound<Gradient, Accumulator>(exec, estimator.within, own, inner, scratch);
    };
    if constexpr (full_pair_estimator<decltype(estimator.within)>)
      Accumulator::add(total, with_own_means(exec, parts, scratch, estimate));
    else
      Accumulator::add(total, estimate(parts));
  }
  if (Gradient && rule.mode == write_mode::overwrite) {
    const auto clear_rest = [&](const matrix_view<T, Memory>& gradient) {
      if (gradient.data) backend<Memory>::clear(exec, gradient.rows_from(blocks * rows, gradient.rows - blocks * rows));
    };
    std::apply([&](const auto&... one) { ((clear_rest(one.source_gradient), clear_rest(one.target_gradient)), ...); }, layers);
  }
  return Accumulator::result(total) / static_cast<double>(blocks);
}

/// The data of a call: rows of weight 0 replaced.
template <class Exec, class T, class Memory>
joint_sample<T, Memory> counted_samples(const Exec& exec, const joint_sample<T, Memory>& data, workspace_of<Memory>& scratch) {
  return {backend<Memory>::counted_rows(exec, data.source, scratch), backend<Memory>::counted_rows(exec, data.target, scratch)};
}

/// sigma^2 that a bandwidth rule gives on these samples, as a measure's kernels are bound.
template <class Exec, class Rule, class T, class Memory>
double squared_scale_of(const Exec& exec, const Rule& rule, const joint_sample<T, Memory>& data, workspace_of<Memory>& scratch) {
  bandwidth::state_journal journal;
  const sample_summary<T, Memory> summary(exec, counted_samples(exec, data, scratch), scratch);
  return rule.squared_scale(bandwidth::call_data<sample_summary<T, Memory>, workspace_of<Memory>>{&summary, &scratch, &journal});
}

/// Summaries and bound layers of a problem: what an estimate is made of. All layers have the same rows in the same order. If an exception
/// ends the problem's life, the running averages of its kernels' bandwidths are as they were before it.
template <class T, class Memory, class... Kernels>
class bound_problem {
  using summary = sample_summary<T, Memory>;
  using call_data = bandwidth::call_data<summary, workspace_of<Memory>>;

public:
  using layers_tuple = std::tuple<layer<T, bound_kernel<Kernels, call_data>, Memory>...>;

  template <class Exec>
  bound_problem(const Exec& exec, workspace_of<Memory>& scratch, const layer_input<T, Kernels, Memory>&... inputs)
      : bound_problem(exec, scratch, std::index_sequence_for<Kernels...>{}, {counted_samples(exec, inputs.data, scratch)...}, inputs...) {}
  bound_problem(const bound_problem&) = delete;
  bound_problem& operator=(const bound_problem&) = delete;

  const layers_tuple& layers() const { return layers_; }

private:
  using samples = std::array<joint_sample<T, Memory>, sizeof...(Kernels)>;

  template <class Exec, std::size_t... L>
  bound_problem(const Exec& exec, workspace_of<Memory>& scratch, std::index_sequence<L...>, const samples& data,
                const layer_input<T, Kernels, Memory>&... inputs)
      : summaries_{summary(exec, data[L], scratch)...}, layers_{{data[L], &summaries_[L],
                                                                 dalib::bind(inputs.kernel, call_data{&summaries_[L], &scratch, &journal_}),
                                                                 inputs.source_gradient, inputs.target_gradient}...} {}

  bandwidth::state_journal journal_;
  std::array<summary, sizeof...(Kernels)> summaries_;
  layers_tuple layers_;
};

template <class Exec, class Workspace, class T, class Memory, class... Kernels>
bound_problem(const Exec&, Workspace&, const layer_input<T, Kernels, Memory>&...) -> bound_problem<T, Memory, Kernels...>;

} // namespace dalib::engine
