/// @file
/// The permutation test of two samples: exact at any size, with any kernel.
#pragma once

#include "dalib/inference/draws.hpp"
#include "dalib/inference/label_forms.hpp"
#include "dalib/inference/machine_forms.hpp"
#include "dalib/inference/test_forms.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/radial.hpp"

#include <numeric>
#include <vector>

namespace dalib::inference {

namespace detail {

/// A two-sample estimate as a combination of forms of z = s - n_s / N, s the indicator of the source:
/// square z'Kz + linear z'K1 + all 1'K1, where z'K1 and 1'K1 nearly cancel by construction.
struct indicator_combination {
  double square = 0, linear = 0, all = 0;
  own_pairs own = own_pairs::without;

  /// With a, b, c the coefficients within the source, within the target, across, and p = n_s / N, q = n_t / N:
  /// a s'Ks + b t'Kt + 2 c s'Kt, s = z + p, t = q - z.
  static indicator_combination of(const pair_coefficients& weights, index_t source, index_t target) {
    const double n = static_cast<double>(source + target), p = static_cast<double>(source) / n, q = static_cast<double>(target) / n;
    const double a = weights.within_source, b = weights.within_target, c = weights.across;
    return {a + b - 2 * c, 2 * (a * p - b * q + c * (q - p)), a * p * p + b * q * q + 2 * c * p * q,
            weights.distinct ? own_pairs::without : own_pairs::with};
  }
  double operator()(const quadratic_forms& forms, int term, index_t vector) const {
    return square * forms.square(term, vector) + linear * forms.with_ones(term, vector) + all * forms.all(term);
  }
};

/// Calls use(row, order) for the sample as it is given, with row `first`, if `observed`, and for the permutations with the rows that
/// follow: rows order[0 .. source - 1] are called source.
template <class Exec, class Use>
void for_each_order(const Exec& exec, const permutations& orders, index_t source, index_t rows, index_t first, bool observed,
                    const Use& use) {
  const index_t lead = observed ? 1 : 0;
  exec.run(orders.count() + lead, [&](index_t b, int) {
    std::vector<index_t> order;
    if (b < lead) {
      order.resize(static_cast<std::size_t>(rows));
      std::iota(order.begin(), order.end(), index_t{0});
    } else {
      orders.read(b - lead, order, source);
    }
    use(first + b, order);
  });
}

/// The centred indicators of the source: 1 - n_s / N for its rows and -n_s / N for the others, of the sample as it is given first, then of
/// one or two sets of permutations.
template <class Exec>
label_vectors indicators_of(const Exec& exec, std::initializer_list<const permutations*> orders, index_t source, index_t rows) {
  index_t count = 1;
  for (const permutations* set : orders) count += set->count();
  const double share = static_cast<double>(source) / static_cast<double>(rows);
  label_vectors indicators(count, rows, 1 - share, -share);
  index_t first = 0;
  for (const permutations* set : orders) {
    for_each_order(exec, *set, source, rows, first, first == 0, [&](index_t row, const std::vector<index_t>& order) {
      for (index_t i = 0; i < source; ++i) indicators.set_high(row, order[static_cast<std::size_t>(i)]);
    });
    first += set->count() + (first == 0 ? 1 : 0);
  }
  return indicators;
}

/// Observed value first, then the permuted ones, of every term.
struct permuted_statistics {
  int terms = 0;
  index_t vectors = 0;
  std::vector<double> values; ///< terms x vectors

  double observed(int term) const { return values[static_cast<std::size_t>(term * vectors)]; }
  std::vector<double> permuted(int term, index_t first, index_t count) const {
    const auto from = values.begin() + term * vectors + 1 + first;
    return {from, from + count};
  }
};

/// @param orders  one or two sets of permutations, in one pass
template <class Exec, class T, class Profile>
permuted_statistics permute(const Exec& exec, const kernel_blocks<T, Profile>& kernel, const pair_coefficients& weights,
                            std::initializer_list<const permutations*> orders) {
  const label_vectors indicators = indicators_of(exec, orders, kernel.source_rows(), kernel.rows());
  const auto statistic = indicator_combination::of(weights, kernel.source_rows(), kernel.target_rows());
  const quadratic_forms forms = forms_of(exec, kernel, indicators, statistic.own);
  permuted_statistics result{forms.terms, forms.vectors, {}};
  for (int term = 0; term < forms.terms; ++term)
    for (index_t v = 0; v < forms.vectors; ++v) result.values.push_back(statistic(forms, term, v));
  return result;
}

template <class T, class Memory, class Estimator>
pair_coefficients coefficients_of(const char* test, const Estimator& estimator, const sample<T, Memory>& source,
                                  const sample<T, Memory>& target) {
  const auto n_s = source.rows.rows, n_t = target.rows.rows;
  return estimator.coefficients({n_s, n_t, static_cast<double>(n_s), static_cast<double>(n_t), false, source.rows.cols, test});
}

/// The observed value and the permuted ones, on a machine that is not the host.
template <class Exec, class T, class Profile, class Memory>
permuted_statistics permute_on(const Exec& exec, const engine::layer<T, Profile, Memory>& one, const pair_coefficients& weights,
                               const permutations& orders, workspace_of<Memory>& scratch) {
  const index_t n_s = one.data.source.rows.rows, n_t = one.data.target.rows.rows;
  const T outside = static_cast<T>(-static_cast<double>(n_s) / static_cast<double>(n_s + n_t)), inside = T(1) + outside;
  vector_rows<T> indicators(orders.count() + 1, n_s + n_t);
  for_each_order(exec::default_policy{}, orders, n_s, n_s + n_t, 0, true, [&](index_t at, const std::vector<index_t>& order) {
    T* row = indicators.row(at);
    std::fill_n(row, n_s + n_t, outside);
    for (index_t i = 0; i < n_s; ++i) row[order[static_cast<std::size_t>(i)]] = inside;
  });
  const auto statistic = indicator_combination::of(weights, n_s, n_t);
  const quadratic_forms forms = machine_forms(exec, one, indicators, statistic.own, scratch);
  permuted_statistics result{1, orders.count() + 1, {}};
  for (index_t v = 0; v < result.vectors; ++v) result.values.push_back(statistic(forms, 0, v));
  return result;
}

/// A kernel that counts as one term, whatever it is made of.
template <class K>
struct one_term {
  using statistics = statistics_of<K>;
  K kernel;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    return dalib::evaluate<List>(kernel, s);
  }
  template <class Data>
  auto bind(const Data& data) const {
    return one_term<bound_kernel<K, Data>>{dalib::bind(kernel, data)};
  }
  one_term with_unit(double unit) const requires(takes_unit<K>) { return {kernel.with_unit(unit)}; }
};

} // namespace detail

/// Permutation test of the hypothesis that both samples follow one law: the statistic is the squared MMD by `estimator` (biased, unbiased,
/// or any other over all pairs), its null law that over the draws of which rows are called source.
///
/// Exact: P(p <= alpha) <= alpha at every size and law, if rows are exchangeable under the hypothesis (independent rows are; time series
/// are not: see wild_bootstrap_test). Bandwidths are resolved once, on all rows, which no permutation changes. All draws are one pass:
/// O(n^2 (F + draws)) time, O(n (F + draws)) memory, n = n_s + n_t; the observed value is computed among them, so that the identity is an
/// exact tie. The same bits for any number of threads. The estimate with permuted rows: Gretton et al. 2012, section 8 and eq. 3, 5.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(30, 3).array() + 0.7;
/// const inference::permutation_test test{kernel::gaussian{bandwidth::median{}}, estimator::unbiased{}};
/// const inference::test_result r = test(zs, zt, {.alpha = 0.01, .draws = 199, .seed = 1});
/// assert(r.reject && r.p_value == 1.0 / 200);
/// assert(std::abs(r.statistic - mmd{kernel::gaussian{bandwidth::median{}}, estimator::unbiased{}}(zs, zt)) < 1e-12);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>, class Estimator = estimator::unbiased>
struct permutation_test : test_forms<permutation_test<Kernel, Estimator>> {
  static_assert(full_pair_estimator<Estimator>,
                "dalib: permutation_test needs an estimator over all pairs, such as dalib::estimator::unbiased");
  static constexpr const char* name = "permutation_test";
  static constexpr bool any_machine = true;

  Kernel kernel{};
  Estimator estimator{};

  permutation_test() = default;
  explicit permutation_test(Kernel k, Estimator e = {}) : kernel(k), estimator(e) {}

  template <class Exec, class T>
  test_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    const pair_coefficients weights = detail::coefficients_of(name, estimator, source, target);
    const permutations orders(name, options, options.given, draw_stream::permutation, source.rows.rows + target.rows.rows);
    workspace scratch;
    return detail::with_kernel<true>(name, exec, detail::one_term<Kernel>{kernel}, source, target, scratch, [&](const auto& values) {
      const detail::permuted_statistics all = detail::permute(exec, values, weights, {&orders});
      return decide(all.observed(0), all.permuted(0, 0, orders.count()), options);
    });
  }
  /// The same on a device.
  template <class Exec, class T, class Memory>
  requires(!std::is_same_v<Memory, host_memory>) test_result
      run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const test_options& options)
  const {
    const pair_coefficients weights = detail::coefficients_of(name, estimator, source, target);
    const permutations orders(name, options, options.given, draw_stream::permutation, source.rows.rows + target.rows.rows);
    workspace_of<Memory> scratch;
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, detail::one_term<Kernel>, Memory>{{source, target}, {kernel}, {}, {}});
    const auto all = engine::with_units(exec, name, problem.layers(), scratch, [&](const auto& layers) {
      return detail::permute_on(exec, std::get<0>(layers), weights, orders, scratch);
    });
    return decide(all.observed(0), all.permuted(0, 0, orders.count()), options);
  }
};

/// Permutation test of the energy distance (Szekely and Rizzo 2013): statistic n_s n_t / (n_s + n_t) (2 E|x-y| - E|x-x'| - E|y-y'|), with
/// no bandwidth to choose; consistent against every alternative with finite means. Otherwise as permutation_test.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(30, 3).array() + 0.7;
/// assert(inference::energy_test{}(zs, zt).p_value == 0.001);
/// @endcode
struct energy_test : test_forms<energy_test> {
  static constexpr const char* name = "energy_test";
  static constexpr bool any_machine = true;

  template <class Exec, class T, class Memory>
  test_result run(const Exec& exec, const sample<T, Memory>& source, const sample<T, Memory>& target, const test_options& options) const {
    const permutation_test test{kernel::energy{}, scaled_biased{}};
    return test.run(exec, source, target, options);
  }

private:
  struct scaled_biased {
    pair_coefficients coefficients(const sample_sizes& n) const {
      const double s = n.source_weight, t = n.target_weight, all = s + t;
      return {t / (s * all), s / (t * all), -1 / all, false, 0};
    }
  };
};

} // namespace dalib::inference
