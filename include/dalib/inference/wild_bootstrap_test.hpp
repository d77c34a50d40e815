/// @file
/// Wild bootstrap tests of two samples: multipliers instead of permutations, also for dependent rows.
#pragma once

#include "dalib/inference/permutation_test.hpp"

#include <cmath>
#include <functional>
#include <vector>

namespace dalib::inference {

/// Which estimate is multiplied.
enum class wild_form {
  independent, ///< sum_{i != j} w_i w_j h_ij / (n (n - 1)), n_s = n_t: independent pairs (Schrab et al. 2023, eq. 6)
  dependent,   ///< sum_{i, j} w_i w_j h_ij / n^2, n_s = n_t: time series (Chwialkowski et al. 2014)
  centred,     ///< the same with w - mean w: more power where the series are short
  separate     ///< each sample has its own centred multipliers; any n_s, n_t, the estimate times n_s n_t / (n_s + n_t)
};

namespace detail {

/// Multipliers of a stationary autoregressive process with unit variance: w_i = e^(-1/length) w_{i-1} + noise. `length` 0: independent
/// signs.
inline void read_multipliers(const multipliers& from, index_t b, double length, std::vector<double>& to) {
  const auto count = static_cast<index_t>(to.size());
  if (length <= 0) {
    for (index_t i = 0; i < count; ++i) to[static_cast<std::size_t>(i)] = from(b, i);
    return;
  }
  const double keep = std::exp(-1 / length), fresh = std::sqrt(1 - keep * keep);
  for (index_t i = 0; i < count; ++i)
    to[static_cast<std::size_t>(i)] = i == 0 ? from(b, 0) : keep * to[static_cast<std::size_t>(i - 1)] + fresh * from(b, i);
}

inline void subtract_mean(std::vector<double>& values) {
  const double mean = std::reduce(values.begin(), values.end()) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

/// Sum of squares of multipliers times 2 k(x_i, y_i): what the pairs h_ii of the form lack.
template <class Kernel>
std::vector<double> paired_values(const Kernel& kernel) {
  const index_t n = kernel.source_rows();
  std::vector<double> result(static_cast<std::size_t>(n * kernel.terms()));
  for (index_t i = 0; i < n; ++i)
    kernel.pair_terms(i, n + i, [&](int term, double value) { result[static_cast<std::size_t>(term * n + i)] = value; });
  return result;
}

/// Forms of the vectors (w, -w) for sets of multipliers w, those of the samples as they are given first, and the sums of w_i^2 k(x_i, y_i).
struct paired_forms {
  quadratic_forms forms;
  std::vector<double> left_out; ///< terms x vectors
};

/// Random signs: two values, whose forms are looked up.
template <class Exec, class T, class Profile>
paired_forms forms_of_signs(const Exec& exec, const kernel_blocks<T, Profile>& kernel, std::initializer_list<const multipliers*> sets,
                            index_t count) {
  const index_t n = kernel.source_rows();
  label_vectors signs(count, 2 * n, 1, -1);
  const auto write = [&](index_t vector, const auto& sign) {
    for (index_t i = 0; i < n; ++i) signs.set_high(vector, sign(i) > 0 ? i : n + i);
  };
  write(0, [](index_t) { return 1.0; });
  index_t first = 1;
  for (const multipliers* set : sets) {
    exec.run(set->count(), [&](index_t b, int) { write(first + b, [&](index_t i) { return (*set)(b, i); }); });
    first += set->count();
  }
  paired_forms result{forms_of(exec, kernel, signs, own_pairs::without), {}};
  const std::vector<double> paired = paired_values(kernel);
  for (int term = 0; term < result.forms.terms; ++term)
    result.left_out.insert(result.left_out.end(), static_cast<std::size_t>(count), sum_of(paired.data() + term * n, n));
  return result;
}

/// Any multipliers.
template <class Exec, class T, class Profile>
paired_forms forms_of_multipliers(const Exec& exec, const kernel_blocks<T, Profile>& kernel, std::initializer_list<const multipliers*> sets,
                                  index_t count) {
  const index_t n = kernel.source_rows();
  vector_rows<T> vectors(count, 2 * n);
  const auto write = [&](index_t row, const auto& weight) {
    T* to = vectors.row(row);
    for (index_t i = 0; i < n; ++i) {
      to[i] = static_cast<T>(weight(i));
      to[n + i] = -to[i];
    }
  };
  write(0, [](index_t) { return 1.0; });
  index_t first = 1;
  for (const multipliers* set : sets) {
    exec.run(set->count(), [&](index_t b, int) { write(first + b, [&](index_t i) { return (*set)(b, i); }); });
    first += set->count();
  }
  paired_forms result{forms_of(exec, kernel, vectors, own_pairs::without), {}};
  const std::vector<double> paired = paired_values(kernel);
  for (int term = 0; term < result.forms.terms; ++term)
    for (index_t v = 0; v < count; ++v) {
      double left_out = 0;
      for (index_t i = 0; i < n; ++i) {
        const auto w = static_cast<double>(vectors.row(v)[i]);
        left_out += w * w * paired[static_cast<std::size_t>(term * n + i)];
      }
      result.left_out.push_back(left_out);
    }
  return result;
}

/// U_h and its bootstrapped values: sets of multipliers in one pass, observed value first.
template <class Exec, class T, class Profile>
permuted_statistics bootstrap_pairs(const Exec& exec, const kernel_blocks<T, Profile>& kernel,
                                    std::initializer_list<const multipliers*> sets) {
  const auto n = static_cast<double>(kernel.source_rows());
  index_t count = 1;
  bool signs = true;
  for (const multipliers* set : sets) {
    count += set->count();
    signs = signs && set->are_signs();
  }
  const paired_forms all = signs ? forms_of_signs(exec, kernel, sets, count) : forms_of_multipliers(exec, kernel, sets, count);
  permuted_statistics result{all.forms.terms, count, {}};
  for (int term = 0; term < result.terms; ++term)
    for (index_t v = 0; v < count; ++v) {
      const double left_out = all.left_out[static_cast<std::size_t>(term * count + v)];
      result.values.push_back((all.forms.square(term, v) + 2 * left_out) / (n * (n - 1)));
    }
  return result;
}

} // namespace detail

/// Wild bootstrap test: the null law of the squared MMD by multiplying rows by random signs, or by a slow random process for time series,
/// where permuting would destroy what makes neighbours alike. h_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i); x_i is paired
/// with y_i but for `separate`. Asymptotically exact, `independent` exactly so where x_i and y_i may be exchanged. O(n^2 (F + draws)).
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(40, 3).array() + 0.7;
/// assert(inference::wild_bootstrap_test{kernel::gaussian{1.0}}(zs, zt).reject);
/// const inference::wild_bootstrap_test series{kernel::gaussian{1.0}, inference::wild_form::centred, 5}; // neighbours within 5 are alike
/// assert(series(zs, zt).reject);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct wild_bootstrap_test : test_forms<wild_bootstrap_test<Kernel>> {
  static constexpr const char* name = "wild_bootstrap_test";

  Kernel kernel{};
  wild_form form = wild_form::independent;
  double length = 0; ///< of the dependence, in rows: multipliers are an autoregressive process; 0: independent signs

  wild_bootstrap_test() = default;
  explicit wild_bootstrap_test(Kernel k, wild_form f = wild_form::independent, double dependence = 0)
      : kernel(k), form(f), length(dependence) {}

  template <class Exec, class T>
  test_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    const index_t n_s = source.rows.rows, n_t = target.rows.rows;
    if (form != wild_form::separate) detail::require_paired(name, source, target, 2);
    const draw_stream stream = length > 0 ? draw_stream::normal : draw_stream::sign;
    const multipliers weights(name, options, options.given.weights, stream, n_s);
    const multipliers other(name, options, options.given.target_weights, length > 0 ? draw_stream::second_normal : draw_stream::second_sign,
                            n_t);
    if (form == wild_form::separate && other.count() != weights.count()) fail(name, "needs as many target weights as weights");
    workspace scratch;
    return detail::with_kernel<true>(name, exec, detail::one_term<Kernel>{kernel}, source, target, scratch, [&](const auto& values) {
      if (form == wild_form::independent && length <= 0) {
        const detail::permuted_statistics all = detail::bootstrap_pairs(exec, values, {&weights});
        return decide(all.observed(0), all.permuted(0, 0, weights.count()), options);
      }
      return bootstrap_all(exec, values, weights, other, options);
    });
  }

private:
  /// The forms with all pairs, and those of dependent rows.
  template <class Exec, class T, class Profile>
  test_result bootstrap_all(const Exec& exec, const detail::kernel_blocks<T, Profile>& values, const multipliers& weights,
                            const multipliers& other, const test_options& options) const {
    const index_t n_s = values.source_rows(), n_t = values.target_rows(), count = weights.count() + 1;
    const auto size_s = static_cast<double>(n_s), size_t_ = static_cast<double>(n_t);
    const double factor = form == wild_form::separate ? size_s * size_t_ / (size_s + size_t_) : 1;
    detail::vector_rows<T> vectors(count, n_s + n_t);
    exec.run(count, [&](index_t row, int) {
      std::vector<double> a(static_cast<std::size_t>(n_s), 1.0), b(static_cast<std::size_t>(n_t), 1.0);
      if (row > 0) {
        detail::read_multipliers(weights, row - 1, options.given.weights.data ? 0 : length, a);
        if (form == wild_form::separate) detail::read_multipliers(other, row - 1, options.given.target_weights.data ? 0 : length, b);
        if (form == wild_form::centred || form == wild_form::separate) detail::subtract_mean(a);
        if (form == wild_form::separate)
          detail::subtract_mean(b);
        else
          b = a;
      }
      T* to = vectors.row(row);
      for (index_t i = 0; i < n_s; ++i) to[i] = static_cast<T>(a[static_cast<std::size_t>(i)] / size_s);
      for (index_t j = 0; j < n_t; ++j) to[n_s + j] = static_cast<T>(-b[static_cast<std::size_t>(j)] / size_t_);
    });
    const bool all_pairs = form != wild_form::independent;
    const detail::quadratic_forms forms =
        detail::forms_of(exec, values, vectors, all_pairs ? detail::own_pairs::with : detail::own_pairs::without);
    const std::vector<double> paired = all_pairs ? std::vector<double>{} : detail::paired_values(values);
    std::vector<double> null_sample;
    for (index_t v = 0; v < count; ++v) {
      double value = factor * forms.square(0, v);
      if (!all_pairs) {
        for (index_t i = 0; i < n_s; ++i) {
          const auto w = static_cast<double>(vectors.row(v)[i]);
          value += 2 * w * w * paired[static_cast<std::size_t>(i)];
        }
        value *= size_s / (size_s - 1);
      }
      null_sample.push_back(value);
    }
    const double statistic = null_sample.front();
    null_sample.erase(null_sample.begin());
    return decide(statistic, std::move(null_sample), options);
  }
};

} // namespace dalib::inference
