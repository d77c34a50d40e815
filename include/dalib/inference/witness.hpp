/// @file
/// The witness function: where two samples differ, and which rows show it.
#pragma once

#include "dalib/engine/kernel_products.hpp"
#include "dalib/inference/pair_sums.hpp"
#include "dalib/kernel/gaussian.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace dalib::inference {

/// Rows of both samples at which the witness is largest in favour of their own sample.
struct largest_witness {
  std::vector<index_t> source{}, target{};              ///< rows, the most telling first
  std::vector<double> source_values{}, target_values{}; ///< the witness there: positive at source rows that the target has no like of
};

/// The empirical witness function of the MMD (Gretton et al. 2012, section 2.3), not normalised:
///
///     f(p) = mean_i k(p, x_i) - mean_j k(p, y_j)
///
/// positive where the source has more rows. Bandwidths are resolved on both samples, not on the points. O(points (n_s + n_t) F) time,
/// memory as the rows. The same bits for any number of threads.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(40, 2), zt = Eigen::MatrixXd::Random(30, 2).array() + 1;
/// Eigen::MatrixXd points(2, 2), gradient(2, 2);
/// points << -0.5, -0.5, 1.5, 1.5;
/// const inference::witness f{kernel::gaussian{0.5}};
/// const std::vector<double> values = f(zs, zt, points);
/// assert(values[0] > 0 && values[1] < 0 && f.value_and_gradient(zs, zt, points, gradient) == values && gradient.norm() > 0);
/// const inference::largest_witness rows = f.largest(zs, zt, 3);
/// assert(rows.source.size() == 3 && rows.source_values[0] >= rows.source_values[2]);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct witness {
  static constexpr const char* name = "witness";

  Kernel kernel{};

  witness() = default;
  explicit witness(Kernel k) : kernel(k) {}

  /// f at every point. @throws std::invalid_argument for shapes that do not fit, weights, and data that are not finite.
  template <sample_like ZS, sample_like ZT, matrix_like P>
  std::vector<double> operator()(const ZS& zs, const ZT& zt, const P& points) const {
    return (*this)(exec::default_policy{}, zs, zt, points);
  }
  template <class Exec, sample_like ZS, sample_like ZT, matrix_like P>
  std::vector<double> operator()(const Exec& exec, const ZS& zs, const ZT& zt, const P& points) const {
    const auto [source, target] = detail::require_test_samples(name, zs, zt);
    const auto at = view_of_points(source, points);
    workspace scratch;
    return values(exec, detail::bind_on(exec, kernel, source, target, scratch), source, target, at, scratch);
  }

  /// f at every point, and in row p of `gradient` the gradient of f at p.
  template <sample_like ZS, sample_like ZT, matrix_like P, matrix_like G>
  std::vector<double> value_and_gradient(const ZS& zs, const ZT& zt, const P& points, G&& gradient) const {
    return value_and_gradient(exec::default_policy{}, zs, zt, points, gradient);
  }
  template <class Exec, sample_like ZS, sample_like ZT, matrix_like P, matrix_like G>
  std::vector<double> value_and_gradient(const Exec& exec, const ZS& zs, const ZT& zt, const P& points, G&& gradient) const {
    using T = sample_value<ZS>;
    const auto [source, target] = detail::require_test_samples(name, zs, zt);
    const auto at = view_of_points(source, points);
    const matrix_view<T> to = view_of(gradient);
    require_gradient_shape(name, at, to);
    require_apart(name, {source.rows, target.rows, at}, {to});
    workspace scratch;
    const auto profile = detail::bind_on(exec, kernel, source, target, scratch);
    const std::vector<double> ones(static_cast<std::size_t>(at.rows), 1.0);
    const auto add = [&](const sample<T>& from, double sign, write_mode mode) {
      const std::vector<double> each(static_cast<std::size_t>(from.rows.rows), sign / static_cast<double>(from.rows.rows));
      detail::across_sum<true>(name, exec, profile, at, from.rows, detail::rank_one{ones, each}, detail::pair_gradient<T>{to, {}, 1, mode},
                               scratch);
    };
    add(source, 1, write_mode::overwrite);
    add(target, -1, write_mode::accumulate);
    return values(exec, profile, source, target, at, scratch);
  }

  /// The `count` rows of each sample at which its own side is most in excess: what a user looks at. A row counts towards its own mean.
  template <sample_like ZS, sample_like ZT>
  largest_witness largest(const ZS& zs, const ZT& zt, index_t count) const {
    return largest(exec::default_policy{}, zs, zt, count);
  }
  template <class Exec, sample_like ZS, sample_like ZT>
  largest_witness largest(const Exec& exec, const ZS& zs, const ZT& zt, index_t count) const {
    const auto [source, target] = detail::require_test_samples(name, zs, zt);
    workspace scratch;
    const auto profile = detail::bind_on(exec, kernel, source, target, scratch);
    largest_witness result;
    const auto choose = [&](std::vector<double> f, double sign, std::vector<index_t>& rows, std::vector<double>& at) {
      rows.resize(f.size());
      std::iota(rows.begin(), rows.end(), index_t{0});
      std::stable_sort(rows.begin(), rows.end(),
                       [&](index_t a, index_t b) { return sign * f[static_cast<std::size_t>(a)] > sign * f[static_cast<std::size_t>(b)]; });
      rows.resize(std::min(rows.size(), static_cast<std::size_t>(std::max<index_t>(0, count))));
      for (const index_t row : rows) at.push_back(f[static_cast<std::size_t>(row)]);
    };
    choose(values(exec, profile, source, target, source.rows, scratch), 1, result.source, result.source_values);
    choose(values(exec, profile, source, target, target.rows, scratch), -1, result.target, result.target_values);
    return result;
  }

private:
  template <class T, class P>
  static matrix_view<const T> view_of_points(const sample<T>& source, const P& points) {
    const matrix_view<const T> at = const_view_of(points);
    require_shapes(at.rows > 0 && at.cols == source.rows.cols, name, "points must have the features of the samples", source.rows, at);
    require_finite(name, "points", at);
    return at;
  }

  template <class Exec, class T, class Profile>
  static std::vector<double> values(const Exec& exec, const Profile& profile, const sample<T>& source, const sample<T>& target,
                                    const matrix_view<const T>& points, workspace& scratch) {
    std::vector<double> result(static_cast<std::size_t>(points.rows), 0.0);
    std::vector<T> sums(result.size());
    const auto add = [&](const sample<T>& from, double sign) {
      const workspace_mark mark(scratch);
      const std::vector<T> ones(static_cast<std::size_t>(from.rows.rows), T(1));
      const engine::bound_problem problem(
          exec, scratch, engine::layer_input<T, detail::bound_already<Profile>>{{sample<T>{points, nullptr}, from}, {profile}, {}, {}});
      engine::kernel_product(exec, std::get<0>(problem.layers()), engine::pair_set::across,
                             matrix_view<const T>(ones.data(), from.rows.rows, 1), matrix_view<T>(sums.data(), points.rows, 1), scratch);
      for (std::size_t i = 0; i < sums.size(); ++i) result[i] += sign / static_cast<double>(from.rows.rows) * static_cast<double>(sums[i]);
    };
    add(source, 1);
    add(target, -1);
    return result;
  }
};

} // namespace dalib::inference
