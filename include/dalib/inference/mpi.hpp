/// @file
/// Opt-in: two-sample tests over the ranks of an MPI program, `test(ranks, my_source_rows, my_target_rows, options)`.
#pragma once

#include "dalib/inference/mpi/shared_forms.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/measure/mpi/all_rows.hpp"
#include "dalib/measure/mpi/over_ranks.hpp"

#include <algorithm>
#include <optional>

namespace dalib::inference {

namespace detail {

/// What must be the same on all ranks.
inline void add_options(engine::fingerprint& all, const test_options& options) {
  all.add(options.alpha), all.add(options.draws), all.add(options.seed), all.add(options.keep_null);
  for (const given_draws* given : {&options.given, &options.second}) {
    all.add(given->permutations.rows), all.add(given->permutations.cols);
    for (index_t b = 0; b < given->permutations.rows; ++b)
      for (index_t i = 0; i < given->permutations.cols; ++i) all.add(given->permutations(b, i));
    for (const auto* weights : {&given->weights, &given->target_weights}) {
      all.add(weights->rows), all.add(weights->cols);
      for (index_t b = 0; b < weights->rows; ++b)
        for (index_t i = 0; i < weights->cols; ++i) all.add((*weights)(b, i));
    }
  }
}

} // namespace detail

/// @internal
/// What test(ranks, zs, zt, options) does. Calls by shared_rows what shares its pairs, permutation_test and energy_test; other tests are
/// done whole by every rank.
template <class Test, class Inner, class ZS, class ZT>
auto test_over_ranks(const Test& test, const exec::mpi<Inner>& exec, const ZS& zs, const ZT& zt, const test_options& options) {
  using T = typename two_sample_types<ZS, ZT>::value_type;
  const mpi_communicator& ranks = exec.communicator();
  constexpr bool shares = requires { Test::any_machine; };
  engine::require_same(ranks, Test::name, engine::fingerprint_of_type<std::tuple<Test, T>>(), "the test or the tensors' types");
  engine::fingerprint settings;
  engine::agree(ranks, engine::outcome_of([&] {
                  require_alpha(Test::name, options.alpha);
                  if (weights_of(sample_of(zs)).data != nullptr || weights_of(sample_of(zt)).data != nullptr)
                    fail(Test::name, "takes no sample weights: its null law supposes equal ones");
                  require_finite(Test::name, "source", matrix_view<const T>(sample_of(zs).rows));
                  require_finite(Test::name, "target", matrix_view<const T>(sample_of(zt).rows));
                  detail::add_options(settings, options);
                }));
  engine::require_same(ranks, Test::name, settings.value(), "the test's options");
  const dalib::detail::all_rows<T, 2> all(ranks, Test::name, {sample_of(zs).rows, sample_of(zt).rows});
  const sample<T> source{all[0], nullptr}, target{all[1], nullptr};
  if constexpr (shares) {
    engine::fingerprint probe; // of a few rows, by every rank alone: other kernels or bandwidths would send other numbers
    engine::agree(ranks, engine::outcome_of([&] {
                    require_two_samples(Test::name, all[0], all[1]);
                    const auto few = [](const sample<T>& of) {
                      return sample<T>{of.rows.rows_from(0, std::min<index_t>(8, of.rows.rows)), nullptr};
                    };
                    probe.add(test.run(exec::serial{}, few(source), few(target), test_options{.draws = 1}).statistic);
                  }));
    engine::require_same(ranks, Test::name, probe.value(), "the test's parameters");
    const engine::shared_rows shared(ranks, exec.inner());
    std::optional<decltype(test.run(shared, source, target, options))> result;
    engine::agree(ranks, engine::refusal_of([&] { result.emplace(test.run(shared, source, target, options)); }));
    return *std::move(result);
  } else {
    std::optional<decltype(test(exec.inner(), source, target, options))> result;
    engine::agree(ranks, engine::outcome_of([&] { result.emplace(test(exec.inner(), source, target, options)); }));
    return *std::move(result);
  }
}

} // namespace dalib::inference
