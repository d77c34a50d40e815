/// @file
/// The MMD of each kernel of a sum, and how these estimates vary together: what kernel selection is made from.
#pragma once

#include "dalib/engine/estimate.hpp"
#include "dalib/engine/pair/quadruple.hpp"
#include "dalib/kernel/terms.hpp"
#include "dalib/kernel_selection/running_covariance.hpp"
#include "dalib/measure/mmd.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace dalib {

namespace selection {

/// For each kernel of a sum, in the order of kernel::for_each_term: its squared MMD, and the covariance of the estimates up to the common
/// factor 1 / (number of independent terms), which no selection depends on.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 3), zt = Eigen::MatrixXd::Random(40, 3).array() + 0.5;
/// const mmd loss{kernel::gaussian_ladder(0.5, 3), estimator::linear_time{}};
/// const selection::kernel_statistics found = kernel_statistics_of(exec::default_policy{}, loss, zs, zt);
/// assert(found.size() == 3);
/// assert(std::abs(found.values[0] + found.values[1] + found.values[2] - loss(zs, zt)) < 1e-13);
/// assert(found.covariance_of(0, 1) == found.covariance_of(1, 0) && found.covariance_of(0, 0) > 0);
/// @endcode
struct kernel_statistics {
  std::vector<double> values;
  std::vector<double> covariance; ///< size() x size(), row-major

  int size() const { return static_cast<int>(values.size()); }
  double covariance_of(int k, int l) const { return covariance[static_cast<std::size_t>(k * size() + l)]; }
};

namespace detail {

/// h_k = k(s, s') + k(t, t') - k(s, t') - k(s', t) of every kernel for one quadruple of rows.
template <class T, class Profile>
class quadruple_terms {
public:
  using problem = engine::layer<T, Profile>;
  using quadruple = engine::quadruple_layer<T, Profile>;

  explicit quadruple_terms(const problem& data) : data_(data) {}

  index_t features() const { return data_.data.features(); }

  /// Copies a row and returns it.
  const T* load(const matrix_view<const T>& rows, index_t row, T* to) const {
    for (index_t f = 0; f < features(); ++f) to[f] = rows(row, f);
    return to;
  }

  /// `one.rows` are s, s', t, t'.
  void evaluate(quadruple& one, double* h) const {
    std::fill_n(h, most_kernels, 0.0);
    one.add_up(features());
    for (int p = 0; p < 4; ++p) {
      const double sign = p < 2 ? 1 : -1;
      double* next = h;
      kernel::for_each_term(data_.profile, [&](const auto& term) { *next++ += sign * one.kernel_on(term, p).value; });
    }
  }

private:
  const problem& data_;
};

/// Disjoint quadruples of the linear-time estimator: mean and covariance of h. O(n F).
template <class Exec, class T, class Profile>
running_covariance gather_disjoint(const Exec& exec, const engine::layer<T, Profile>& problem, int kernels, workspace& scratch) {
  constexpr index_t per_task = 512;
  const auto& source = problem.data.source.rows;
  const auto& target = problem.data.target.rows;
  const index_t quadruples = std::min(source.rows, target.rows) / 2, tasks = (quadruples + per_task - 1) / per_task;
  const quadruple_terms<T, Profile> terms_of(problem);
  T* memory = scratch.template allocate<T>(exec.workers() * 4 * terms_of.features());
  std::vector<running_covariance> parts(static_cast<std::size_t>(tasks));
  exec.run(tasks, [&](index_t task, int worker) {
    T* rows = memory + worker * 4 * terms_of.features();
    typename quadruple_terms<T, Profile>::quadruple one;
    double h[most_kernels];
    for (index_t q = task * per_task; q < std::min(quadruples, (task + 1) * per_task); ++q) {
      for (index_t r = 0; r < 4; ++r)
        one.rows[r] = terms_of.load(r < 2 ? source : target, 2 * q + r % 2, rows + r * terms_of.features());
      terms_of.evaluate(one, h);
      parts[static_cast<std::size_t>(task)].add(h, kernels);
    }
  });
  for (std::size_t i = 1; i < parts.size(); ++i) parts[0].merge(parts[i], kernels);
  return parts[0];
}

/// All quadruples (i, j), i != j, of paired samples: mean and covariance of the row means of h. O(n^2 F).
template <class Exec, class T, class Profile>
running_covariance gather_all(const Exec& exec, const engine::layer<T, Profile>& problem, int kernels, workspace& scratch) {
  const auto& source = problem.data.source.rows;
  const auto& target = problem.data.target.rows;
  const quadruple_terms<T, Profile> terms_of(problem);
  const index_t features = terms_of.features();
  T* memory = scratch.template allocate<T>(exec.workers() * 4 * features);
  std::vector<running_covariance> parts(static_cast<std::size_t>(source.rows));
  exec.run(source.rows, [&](index_t i, int worker) {
    T* rows = memory + worker * 4 * features;
    typename quadruple_terms<T, Profile>::quadruple one;
    one.rows[0] = terms_of.load(source, i, rows);
    one.rows[2] = terms_of.load(target, i, rows + 2 * features);
    double h[most_kernels], sums[most_kernels] = {};
    for (index_t j = 0; j < source.rows; ++j) {
      if (j == i) continue;
      one.rows[1] = terms_of.load(source, j, rows + features);
      one.rows[3] = terms_of.load(target, j, rows + 3 * features);
      terms_of.evaluate(one, h);
      for (int k = 0; k < kernels; ++k) sums[k] += h[k];
    }
    for (int k = 0; k < kernels; ++k) sums[k] /= static_cast<double>(source.rows - 1);
    parts[static_cast<std::size_t>(i)].add(sums, kernels);
  });
  for (std::size_t i = 1; i < parts.size(); ++i) parts[0].merge(parts[i], kernels);
  return parts[0];
}

} // namespace detail
} // namespace selection

/// Statistics of every kernel of the loss's sum on these samples, in one pass for all kernels; bandwidths are resolved once, on both
/// samples.
///
/// estimator::linear_time: mean and covariance of h over the floor(min(n_s, n_t) / 2) disjoint quadruples (Gretton et al. 2012b, eq. 6 and
/// 7); O(n F). estimator::unbiased: n_s = n_t = n paired samples, the mean of h over all i != j, and 4 times the covariance of its row
/// means, the leading term of the estimate's variance (Sutherland et al. 2017, eq. 5); O(n^2 F). The same bits for any number of threads.
/// @throws std::invalid_argument for shapes that do not fit, fewer than 2 quadruples (or 3 samples), sample weights, or more than 16
/// kernels.
template <class Exec, class Kernel, class Estimator, class Accumulator, sample_like ZS, sample_like ZT>
selection::kernel_statistics kernel_statistics_of(const Exec& exec, const mmd<Kernel, Estimator, Accumulator>& loss, const ZS& zs,
                                                  const ZT& zt) {
  constexpr bool linear = std::is_same_v<Estimator, estimator::linear_time>;
  static_assert(linear || std::is_same_v<Estimator, estimator::unbiased>,
                "dalib: kernels are selected with estimator::linear_time or estimator::unbiased, whose covariance is known");
  constexpr const char* name = "kernel_statistics_of";
  using T = sample_value<ZS>;
  const sample<T> source = sample_of(zs), target = sample_of(zt);
  require_two_samples(name, source.rows, target.rows);
  require_shapes(source.weights == nullptr && target.weights == nullptr, name, "takes no sample weights", source.rows, target.rows);
  if (linear)
    require_shapes(std::min(source.rows.rows, target.rows.rows) >= 4, name, "needs at least 4 samples in each domain", source.rows,
                   target.rows);
  else
    require_shapes(source.rows.rows == target.rows.rows && source.rows.rows >= 3, name,
                   "estimator::unbiased needs n_s = n_t >= 3 for a covariance", source.rows, target.rows);
  workspace scratch;
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, Kernel>{{source, target}, loss.kernel, matrix_view<T>{}, matrix_view<T>{}});
  const auto layer = engine::with_centred_terms(std::get<0>(problem.layers()));
  const int kernels = kernel::term_count(layer.profile);
  if (kernels > selection::most_kernels) fail(name, "takes at most 16 kernels (got " + std::to_string(kernels) + ")");
  const selection::running_covariance gathered = linear ? selection::detail::gather_disjoint(exec, layer, kernels, scratch)
                                                        : selection::detail::gather_all(exec, layer, kernels, scratch);
  selection::kernel_statistics result;
  for (int k = 0; k < kernels; ++k) {
    result.values.push_back(gathered.mean[static_cast<std::size_t>(k)]);
    for (int l = 0; l < kernels; ++l) result.covariance.push_back((linear ? 1 : 4) * gathered.covariance(k, l));
  }
  return result;
}

} // namespace dalib
