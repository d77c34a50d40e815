/// @file
/// The MMD of each kernel of a sum, and how these estimates vary together: what kernel selection is made from.
#pragma once

#include "dalib/engine/estimate.hpp"
#include "dalib/engine/kernel_products.hpp"
#include "dalib/engine/pair/quadruple.hpp"
#include "dalib/kernel/terms.hpp"
#include "dalib/kernel_selection/running_covariance.hpp"
#include "dalib/measure/mmd.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <type_traits>
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
      for (index_t r = 0; r < 4; ++r) one.rows[r] = terms_of.load(r < 2 ? source : target, 2 * q + r % 2, rows + r * terms_of.features());
      terms_of.evaluate(one, h);
      parts[static_cast<std::size_t>(task)].add(h, kernels);
    }
  });
  for (std::size_t i = 1; i < parts.size(); ++i) parts[0].merge(parts[i], kernels);
  return parts[0];
}

/// Whether all statistics of a kernel are distances: sums over the features of a pair, whatever the origin.
template <class Profile>
inline constexpr bool of_distances = !engine::reads<Profile>::gram_beside_distance;

/// Where a row's terms go.
struct term_row {
  double* to;
  DALIB_HD void operator()(int k, double value) const { to[k] = value; }
};

/// k(s_i, t_i) of every term: task = i.
template <class Profile, class Memory>
struct paired_terms_task {
  Profile profile;
  matrix_view<const double, Memory> source, target;
  index_t kernels;
  double* to;

  DALIB_HD void operator()(index_t i) const {
    double square = 0, l1 = 0;
    for (index_t f = 0; f < source.cols; ++f) {
      const double d = source(i, f) - target(i, f);
      square += d * d;
      l1 += d < 0 ? -d : d;
    }
    evaluate(statistics_of<Profile>{}, square, l1, to + i * kernels);
  }

private:
  template <class... S>
  DALIB_HD void evaluate(type_list<S...>, double square, double l1, double* row) const {
    const double statistics[sizeof...(S)] = {std::is_same_v<S, squared_distance> ? square : l1...};
    kernel::each_term_value<type_list<S...>>(profile, statistics, 0, term_row{row});
  }
};

/// All quadruples (i, j), i != j, of paired samples, from the products of each kernel's matrix with the two domains' indicators: mean and
/// covariance of the row means of h. O(n^2 F) for all kernels in one pass, on the machine where the rows lie.
template <class Exec, class Profile, class Memory>
running_covariance gather_by_products(const Exec& exec, const engine::layer<double, Profile, Memory>& one, int kernels,
                                      workspace_of<Memory>& scratch) {
  using machine = backend<Memory>;
  using view = matrix_view<double, Memory>;
  const index_t n = one.data.source.rows.rows, size = 4 * n;
  std::vector<double> domains(static_cast<std::size_t>(size), 0.0), products(static_cast<std::size_t>(kernels * size)),
      own(static_cast<std::size_t>(kernels * n));
  for (index_t i = 0; i < 2 * n; ++i) domains[static_cast<std::size_t>(2 * i + (i < n ? 0 : 1))] = 1;
  double* right = scratch.template allocate<double>(size);
  double* sums = scratch.template allocate<double>(kernels * size);
  double* pairs = scratch.template allocate<double>(kernels * n);
  machine::copy_from_host(exec, domains.data(), size, right);
  std::vector<view> out;
  for (int k = 0; k < kernels; ++k) out.push_back(view(sums + k * size, 2 * n, 2));
  engine::kernel_products(exec, one, engine::pair_set::distinct, view(right, 2 * n, 2), out, scratch);
  machine::for_each_row(exec, n,
                        paired_terms_task<Profile, Memory>{one.profile, one.data.source.rows, one.data.target.rows, kernels, pairs});
  machine::copy_to_host(exec, sums, kernels * size, products.data());
  machine::copy_to_host(exec, pairs, kernels * n, own.data());
  running_covariance result;
  for (index_t i = 0; i < n; ++i) {
    double h[most_kernels];
    for (int k = 0; k < kernels; ++k) {
      const double *of_source = &products[static_cast<std::size_t>(k * size + 2 * i)], *of_target = of_source + 2 * n;
      const double paired = own[static_cast<std::size_t>(i * kernels + k)];
      h[k] = (of_source[0] + of_target[1] - (of_source[1] - paired) - (of_target[0] - paired)) / static_cast<double>(n - 1);
    }
    result.add(h, kernels);
  }
  return result;
}

/// The same for a layer of float rows, which are taken as double: row means are small differences of large sums.
template <class Exec, class T, class Profile, class Memory>
running_covariance gather_in_double(const Exec& exec, const engine::layer<T, Profile, Memory>& one, int kernels, const char* name,
                                    workspace_of<Memory>& scratch) {
  running_covariance found;
  const auto gather = [&](const auto& layers) {
    return engine::with_units(exec, name, layers, scratch, [&](const auto& in_range) {
      found = gather_by_products(exec, std::get<0>(in_range), kernels, scratch);
      return 0.0;
    });
  };
  if constexpr (std::is_same_v<T, float>)
    engine::in_double(exec, std::tuple{one}, write_mode::overwrite, scratch, gather);
  else
    gather(std::tuple{one});
  return found;
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

/// By quadruples, which are the host's: rows in another memory are copied.
template <class Exec, class T, class Profile, class Memory>
running_covariance gather_on_host(const Exec& exec, const engine::layer<T, Profile, Memory>& one, bool disjoint, int kernels,
                                  workspace_of<Memory>& scratch) {
  if constexpr (std::is_same_v<Memory, host_memory>) {
    return disjoint ? gather_disjoint(exec, one, kernels, scratch) : gather_all(exec, one, kernels, scratch);
  } else {
    std::vector<T> numbers[2];
    const auto copied = [&](const matrix_view<const T, Memory>& rows, std::vector<T>& to) {
      const index_t size = rows.rows * rows.cols;
      const matrix_view<T, Memory> whole(scratch.template allocate<T>(size), rows.rows, rows.cols);
      backend<Memory>::for_each_entry(exec, rows.rows, rows.cols, engine::detail::convert_task<T, T, Memory>{rows, whole});
      to.resize(static_cast<std::size_t>(size));
      backend<Memory>::copy_to_host(exec, whole.data, size, to.data());
      return sample<T>{matrix_view<const T>(to.data(), rows.rows, rows.cols), nullptr};
    };
    const engine::joint_sample<T> data{copied(one.data.source.rows, numbers[0]), copied(one.data.target.rows, numbers[1])};
    workspace memory;
    const engine::sample_summary<T> summary(exec::default_policy{}, data, memory);
    const engine::layer<T, Profile> host{data, &summary, one.profile, matrix_view<T>{}, matrix_view<T>{}};
    return gather_on_host(exec::default_policy{}, host, disjoint, kernels, memory);
  }
}

} // namespace detail
} // namespace selection

/// Statistics of every kernel of the loss's sum on these samples, in one pass for all kernels; bandwidths are resolved once, on both
/// samples.
///
/// estimator::linear_time: mean and covariance of h over the floor(min(n_s, n_t) / 2) disjoint quadruples (Gretton et al. 2012b, eq. 6 and
/// 7); O(n F). estimator::unbiased: n_s = n_t = n paired samples, the mean of h over all i != j, and 4 times the covariance of its row
/// means, the leading term of the estimate's variance (Sutherland et al. 2017, eq. 5); O(n^2 F), at the speed of a matrix product in double
/// where all kernels are of distances. The same bits for any number of threads. Device tensors are worked on where they lie, but for
/// estimator::linear_time and kernels of inner products, whose rows are copied to the host.
/// @throws std::invalid_argument for shapes that do not fit, fewer than 2 quadruples (or 3 samples), sample weights, or more than 16
/// kernels.
template <class Exec, class Kernel, class Estimator, class Accumulator, sample_like ZS, sample_like ZT>
selection::kernel_statistics kernel_statistics_of(const Exec& exec, const mmd<Kernel, Estimator, Accumulator>& loss, const ZS& zs,
                                                  const ZT& zt) {
  constexpr bool linear = std::is_same_v<Estimator, estimator::linear_time>;
  static_assert(linear || std::is_same_v<Estimator, estimator::unbiased>,
                "dalib: kernels are selected with estimator::linear_time or estimator::unbiased, whose covariance is known");
  constexpr const char* name = "kernel_statistics_of";
  using types = two_sample_types<ZS, ZT>;
  using T = typename types::value_type;
  using Memory = typename types::memory;
  require_execution<Exec, Memory>();
  const sample<T, Memory> source = sample_of(zs), target = sample_of(zt);
  require_two_samples(name, source.rows, target.rows);
  require_shapes(source.weights == nullptr && target.weights == nullptr, name, "takes no sample weights", source.rows, target.rows);
  if (linear)
    require_shapes(std::min(source.rows.rows, target.rows.rows) >= 4, name, "needs at least 4 samples in each domain", source.rows,
                   target.rows);
  else
    require_shapes(source.rows.rows == target.rows.rows && source.rows.rows >= 3, name,
                   "estimator::unbiased needs n_s = n_t >= 3 for a covariance", source.rows, target.rows);
  workspace_of<Memory> scratch;
  const matrix_view<T, Memory> unwanted;
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, Kernel, Memory>{{source, target}, loss.kernel, unwanted, unwanted});
  const auto layer = engine::with_centred_terms(std::get<0>(problem.layers()));
  const int kernels = kernel::term_count(layer.profile);
  if (kernels > selection::most_kernels) fail(name, "takes at most 16 kernels (got " + std::to_string(kernels) + ")");
  const auto gathered = [&] {
    if constexpr (!linear && selection::detail::of_distances<std::remove_cvref_t<decltype(layer.profile)>>)
      return selection::detail::gather_in_double(exec, layer, kernels, name, scratch);
    else
      return selection::detail::gather_on_host(exec, layer, linear, kernels, scratch);
  }();
  selection::kernel_statistics result;
  for (int k = 0; k < kernels; ++k) {
    result.values.push_back(gathered.mean[static_cast<std::size_t>(k)]);
    for (int l = 0; l < kernels; ++l) result.covariance.push_back((linear ? 1 : 4) * gathered.covariance(k, l));
  }
  return result;
}

} // namespace dalib
