/// @file
/// A permutation test for large samples: rows seen through a few of them.
#pragma once

#include "dalib/engine/product.hpp"
#include "dalib/inference/pair_sums.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/spectrum_test.hpp"
#include "dalib/tensor/eigen.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

namespace dalib::inference {

/// What the Nystrom test answers.
struct nystrom_result : test_result {
  index_t landmarks = 0; ///< how many rows were used as such
};

namespace detail {

/// The places in the joint sample of `count` rows that chance chooses by what they hold and not by where they stand: so the choice does not
/// know which sample a row is from, and permutations are exact. Of rows that are equal at most one is chosen; there may be fewer.
template <class T>
std::vector<index_t> landmark_rows(const sample<T>& source, const sample<T>& target, index_t count, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, index_t>> keys;
  for (const auto* one : {&source.rows, &target.rows})
    for (index_t i = 0; i < one->rows; ++i) {
      std::uint64_t key = splitmix64(seed);
      for (index_t f = 0; f < one->cols; ++f) {
        const double value = static_cast<double>((*one)(i, f)) + 0.0; // -0 is 0
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        key = splitmix64(key ^ bits);
      }
      keys.emplace_back(key, static_cast<index_t>(keys.size()));
    }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first == b.first; }), keys.end());
  std::vector<index_t> result;
  for (index_t l = 0; l < std::min(count, static_cast<index_t>(keys.size())); ++l)
    result.push_back(keys[static_cast<std::size_t>(l)].second);
  return result;
}

} // namespace detail

/// Permutation test of the biased squared MMD of Nystrom features (Chatalic et al. 2025; the features: Williams and Seeger 2001):
///
///     |mean_i phi(x_i) - mean_j phi(y_j)|^2,   phi(z) = R^-T k(L, z),   k(L, L) + ridge I = R'R
///
/// with q landmarks L, rows of both samples chosen by a hash of what they hold: permuting rows changes nothing, and the level is exact, as
/// permutation_test's, however few landmarks there are; few cost power only. O(n q (F + q) + n draws q) time and O(n q) memory: for
/// 100,000 rows, where the other tests' n^2 is too much, and far more powerful there than linear_time_test and block_test.
/// The same bits for any number of threads. @throws std::invalid_argument also for landmarks < 1 or a ridge that is not positive.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(400, 3), zt = Eigen::MatrixXd::Random(300, 3).array() + 0.3;
/// const inference::nystrom_test test{kernel::gaussian{bandwidth::median{}}, 50};
/// const inference::nystrom_result r = test(zs, zt, {.draws = 199});
/// assert(r.reject && r.landmarks == 50);
/// @endcode
template <class Kernel = kernel::gaussian<bandwidth::median>>
struct nystrom_test : test_forms<nystrom_test<Kernel>> {
private:
  using row_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

public:
  static constexpr const char* name = "nystrom_test";

  Kernel kernel{};
  index_t landmarks = 0;  ///< 0: sqrt(n), at least 32
  double ridge = 1e-6;    ///< in units of the mean of k(l, l)
  std::uint64_t seed = 0; ///< of the landmarks

  nystrom_test() = default;
  explicit nystrom_test(Kernel k, index_t count = 0, double regularisation = 1e-6, std::uint64_t landmark_seed = 0)
      : kernel(k), landmarks(count), ridge(regularisation), seed(landmark_seed) {}

  template <class Exec, class T>
  nystrom_result run(const Exec& exec, const sample<T>& source, const sample<T>& target, const test_options& options) const {
    if (landmarks < 0 || !(ridge > 0)) fail(name, "needs at least one landmark and a positive ridge");
    const index_t n_s = source.rows.rows, n = n_s + target.rows.rows;
    const permutations orders(name, options, options.given, draw_stream::permutation, n);
    const index_t wanted = landmarks > 0 ? landmarks : std::max<index_t>(32, static_cast<index_t>(std::sqrt(static_cast<double>(n))));
    const std::vector<index_t> chosen = detail::landmark_rows(source, target, wanted, seed);
    const auto q = static_cast<index_t>(chosen.size());
    workspace scratch;
    const auto profile = detail::bind_on(exec, kernel, source, target, scratch);
    row_matrix phi(n, q);
    write_features(exec, profile, source, target, chosen, phi, scratch);
    const double largest = phi.cwiseAbs().maxCoeff();
    phi.rowwise() -= phi.colwise().mean().eval();
    if (phi.cwiseAbs().maxCoeff() <= detail::rounding_of_centring * largest) phi.setZero(); // constant data: all draws tie
    return {decide_on(exec, phi, orders, n_s, options, scratch), q};
  }

private:
  template <class Exec, class T, class Profile>
  void write_features(const Exec& exec, const Profile& profile, const sample<T>& source, const sample<T>& target,
                      const std::vector<index_t>& chosen, row_matrix& phi, workspace& scratch) const {
    const index_t n_s = source.rows.rows, q = phi.cols();
    std::vector<T> at(static_cast<std::size_t>(q * source.rows.cols));
    const matrix_view<T> marks(at.data(), q, source.rows.cols);
    for (index_t l = 0; l < q; ++l) {
      const index_t row = chosen[static_cast<std::size_t>(l)];
      for (index_t f = 0; f < marks.cols; ++f) marks(l, f) = row < n_s ? source.rows(row, f) : target.rows(row - n_s, f);
    }
    const sample<T> of_marks{matrix_view<const T>(at.data(), q, marks.cols), nullptr};
    const Eigen::MatrixXd own = detail::with_kernel<false>(name, exec, detail::bound_already<Profile>{profile}, of_marks,
                                                           sample<T>{of_marks.rows.rows_from(0, 0), nullptr}, scratch,
                                                           [&](const auto& values) { return detail::dense_kernel(exec, values); });
    Eigen::MatrixXd regular = own;
    regular.diagonal().array() += ridge * std::max(own.diagonal().cwiseAbs().mean(), 1e-300);
    const Eigen::LLT<Eigen::MatrixXd> factor(regular);
    if (factor.info() != Eigen::Success) fail(name, "the landmarks' kernel matrix is not positive definite: raise the ridge");
    // R^-1 as the right-hand side of K(rows, landmarks): the features come out of one pass.
    const Eigen::MatrixXd inverse = factor.matrixU().solve(Eigen::MatrixXd::Identity(q, q));
    const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> right = inverse.cast<T>();
    const auto write = [&](const sample<T>& rows, index_t first) {
      const workspace_mark mark(scratch);
      Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> out(rows.rows.rows, q);
      const engine::bound_problem problem(exec, scratch,
                                          engine::layer_input<T, detail::bound_already<Profile>>{{rows, of_marks}, {profile}, {}, {}});
      engine::kernel_product(exec, std::get<0>(problem.layers()), engine::pair_set::across, const_view_of(right), view_of(out), scratch);
      phi.middleRows(first, rows.rows.rows) = out.template cast<double>();
    };
    write(source, 0);
    write(target, n_s);
  }

  /// |S|^2 (1 / n_s + 1 / n_t)^2, S the sum of the source's centred features: of the sample as given and of every draw, some hundred draws
  /// in one product with their indicators.
  template <class Exec>
  static test_result decide_on(const Exec& exec, const row_matrix& phi, const permutations& orders, index_t n_s,
                               const test_options& options, workspace& scratch) {
    const index_t n = phi.rows(), q = phi.cols(), count = orders.count() + 1;
    const index_t run = std::clamp<index_t>((index_t{1} << 24) / n, 8, count);
    const double scale = 1 / static_cast<double>(n_s) + 1 / static_cast<double>(n - n_s);
    const matrix_view<const double> features(phi.data(), n, q);
    row_matrix indicators(run, n), sums(run, q);
    std::vector<double> values;
    for (index_t first = 0; first < count; first += run) {
      const index_t now = std::min(run, count - first);
      exec.run(now, [&](index_t v, int) {
        std::vector<index_t> order(static_cast<std::size_t>(n));
        if (first + v == 0)
          std::iota(order.begin(), order.end(), index_t{0});
        else
          orders.read(first + v - 1, order, n_s);
        indicators.row(v).setZero();
        for (index_t i = 0; i < n_s; ++i) indicators(v, order[static_cast<std::size_t>(i)]) = 1;
      });
      engine::product(exec, matrix_view<const double>(indicators.data(), now, n), features, matrix_view<double>(sums.data(), now, q),
                      engine::product_scale<double>{}, scratch);
      for (index_t v = 0; v < now; ++v) values.push_back(sums.row(v).squaredNorm() * scale * scale);
    }
    const double statistic = values.front();
    values.erase(values.begin());
    return decide(statistic, std::move(values), options);
  }
};

} // namespace dalib::inference
