/// @file
/// The mean-embedding test: two samples compared at a few places, which can be learnt.
#pragma once

#include "dalib/inference/pair_sums.hpp"
#include "dalib/inference/result.hpp"
#include "dalib/inference/tails.hpp"
#include "dalib/kernel/gaussian.hpp"

#include <Eigen/Cholesky>

#include <vector>

namespace dalib::inference {

/// What the mean-embedding test answers.
struct mean_embedding_result : test_result {
  double log_length_gradient = 0; ///< of the statistic, with respect to the logarithm of the kernel's length, where it was asked for
};

/// Mean-embedding test (Jitkrittum et al. 2016, section 2), n_s = n_t = n: with z_i = (k(x_i, v_j) - k(y_i, v_j))_j at J places v,
/// zbar their mean and S their covariance, the statistic n zbar' (S + regularisation I)^-1 zbar is chi-squared with J degrees in the limit.
/// O(n J F + n J^2) time. Linear in n, and it says where the samples differ. Places and bandwidth can be learnt by climbing the statistic's
/// gradient on rows that are not used for the test; on the rows themselves p means nothing then.
/// @throws std::invalid_argument besides shapes for a covariance that is singular: raise `regularisation`.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(200, 2), zt = Eigen::MatrixXd::Random(200, 2).array() + 0.7;
/// Eigen::MatrixXd places(2, 2), gradient(2, 2);
/// places << -1, -1, 1.5, 1.5;
/// const inference::mean_embedding_test test{kernel::gaussian{1.0}};
/// const inference::mean_embedding_result r = test(zs, zt, places);
/// assert(r.reject && test.value_and_gradient(zs, zt, places, gradient).statistic == r.statistic && gradient.norm() > 0);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct mean_embedding_test {
  static constexpr const char* name = "mean_embedding_test";

  Kernel kernel{};
  double regularisation = 1e-5;

  mean_embedding_test() = default;
  explicit mean_embedding_test(Kernel k, double ridge = 1e-5) : kernel(k), regularisation(ridge) {}

  template <sample_like ZS, sample_like ZT, matrix_like V>
  mean_embedding_result operator()(const ZS& zs, const ZT& zt, const V& places, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, zs, zt, places, options);
  }
  template <class Exec, sample_like ZS, sample_like ZT, matrix_like V>
  requires(!sample_like<Exec>) mean_embedding_result operator()(const Exec& exec, const ZS& zs, const ZT& zt, const V& places,
                                                                const test_options& options = {}) const {
    return run<false, false>(exec, zs, zt, const_view_of(places), matrix_view<sample_value<ZS>>{}, options);
  }
  /// With the gradient with respect to the places; and to the logarithm of the length with `Length`.
  template <bool Length = false, sample_like ZS, sample_like ZT, matrix_like V, matrix_like G, class Exec = exec::default_policy>
  mean_embedding_result value_and_gradient(const ZS& zs, const ZT& zt, const V& places, G&& gradient, const test_options& options = {},
                                           const Exec& exec = {}) const {
    const matrix_view<sample_value<ZS>> to = view_of(gradient);
    return run<true, Length>(exec, zs, zt, const_view_of(places), to, options);
  }

private:
  template <bool Gradient, bool Length, class Exec, class ZS, class ZT, class T = sample_value<ZS>>
  mean_embedding_result run(const Exec& exec, const ZS& zs, const ZT& zt, const matrix_view<const T>& places, const matrix_view<T>& to,
                            const test_options& options) const {
    require_alpha(name, options.alpha);
    const auto [source, target] = detail::require_test_samples(name, zs, zt);
    detail::require_paired(name, source, target, 2);
    require_shapes(places.rows > 0 && places.cols == source.rows.cols, name, "places must have the features of the samples", source.rows,
                   places);
    require_finite(name, "places", places);
    require_gradient_shape(name, places, to);
    require_apart(name, {source.rows, target.rows, places}, {to});
    workspace scratch;
    const auto profile = detail::bind_on(exec, kernel, source, target, scratch);
    const index_t n = source.rows.rows, count = places.rows;
    const auto size = static_cast<double>(n);
    Eigen::MatrixXd z = embed(exec, profile, source.rows, places, scratch) - embed(exec, profile, target.rows, places, scratch);
    const Eigen::RowVectorXd mean = z.colwise().mean();
    const Eigen::MatrixXd deviations = z.rowwise() - mean;
    Eigen::MatrixXd covariance = deviations.transpose() * deviations / (size - 1);
    covariance.diagonal().array() += regularisation;
    const Eigen::LDLT<Eigen::MatrixXd> solver(covariance);
    if (solver.info() != Eigen::Success || !(solver.vectorD().minCoeff() > 1e-14 * solver.vectorD().maxCoeff()))
      fail(name, "the covariance of the embeddings is singular: raise the regularisation, or move the places apart");
    const Eigen::VectorXd direction = solver.solve(mean.transpose());
    mean_embedding_result r;
    r.statistic = size * mean.dot(direction);
    r.p_value = chi_squared_upper_tail(static_cast<double>(count), r.statistic);
    r.threshold = 2 * gamma_upper_quantile(static_cast<double>(count) / 2, options.alpha);
    r.reject = r.statistic > r.threshold;
    if constexpr (Gradient) {
      // d statistic / d z_ij = 2 a_j - 2 n / (n - 1) a_j (a . (z_i - zbar)), a = (S + ridge)^-1 zbar.
      const Eigen::VectorXd along = deviations * direction;
      const std::vector<double> of_places(direction.data(), direction.data() + count);
      std::vector<double> of_rows;
      for (index_t i = 0; i < n; ++i) of_rows.push_back(2 - 2 * size / (size - 1) * along(i));
      pull<Length>(exec, profile, {source.rows, target.rows, places}, of_places, of_rows, to, scratch, r);
    }
    return r;
  }

  template <class T>
  struct rows_and_places {
    matrix_view<const T> source, target, places;
  };
  /// Pulls the places by d statistic / d z_ij = of_places_j of_rows_i; z has k(x_i, v_j) with one sign and k(y_i, v_j) with the other.
  template <bool Length, class Exec, class T, class Profile>
  static void pull(const Exec& exec, const Profile& profile, const rows_and_places<T>& data, const std::vector<double>& of_places,
                   std::vector<double> of_rows, const matrix_view<T>& to, workspace& scratch, mean_embedding_result& r) {
    write_mode mode = write_mode::overwrite;
    const detail::rank_one slope{of_places, of_rows};
    for (const auto* rows : {&data.source, &data.target}) {
      detail::across_sum<true>(name, exec, profile, data.places, *rows, slope, detail::pair_gradient<T>{to, {}, 1, mode}, scratch);
      if constexpr (Length) {
        const detail::log_length_derivative<Profile> grown{profile};
        r.log_length_gradient += detail::across_sum<false>(name, exec, grown, data.places, *rows, slope, {}, scratch);
      }
      mode = write_mode::accumulate;
      for (double& one : of_rows) one = -one;
    }
  }

  /// k(row, place), in double.
  template <class Exec, class T, class Profile>
  static Eigen::MatrixXd embed(const Exec& exec, const Profile& profile, const matrix_view<const T>& rows,
                               const matrix_view<const T>& places, workspace& scratch) {
    Eigen::MatrixXd result(rows.rows, places.rows);
    detail::visit_across(name, exec, profile, rows, places, scratch, [&](const detail::block_place& at, const T* block, index_t stride) {
      for (index_t i = 0; i < at.rows; ++i)
        for (index_t j = 0; j < at.cols; ++j) result(at.row + i, at.col + j) = static_cast<double>(block[i * stride + j]);
    });
    return result;
  }
};

} // namespace dalib::inference
