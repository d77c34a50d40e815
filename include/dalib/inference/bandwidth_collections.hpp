/// @file
/// Collections of bandwidths from the data: what MMDAgg and MMD-FUSE aggregate over.
#pragma once

#include "dalib/inference/kernel_blocks.hpp"
#include "dalib/kernel/family.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/linear.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace dalib::inference {

/// Bandwidths for kernels of the l1 and of the Euclidean distance, ascending.
struct bandwidth_collection {
  std::vector<double> l1, l2;
};

namespace detail {

struct distance_lists {
  std::vector<double> l1, l2;
};

/// At most this many rows of a sample are looked at, at equal distances in the order given.
inline constexpr index_t most_rows_for_bandwidths = 1024;

inline index_t row_step(index_t rows) { return (rows + most_rows_for_bandwidths - 1) / most_rows_for_bandwidths; }

using row_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The rows that are looked at, in double.
template <class T>
row_matrix looked_at(const matrix_view<const T>& rows) {
  const index_t step = row_step(rows.rows), count = (rows.rows + step - 1) / step;
  row_matrix result(count, rows.cols);
  for (index_t i = 0; i < count; ++i)
    for (index_t f = 0; f < rows.cols; ++f) result(i, f) = static_cast<double>(rows(i * step, f));
  return result;
}

template <class Row>
void add_distance(const Row& a, const Row& b, distance_lists& to) {
  to.l1.push_back((a - b).cwiseAbs().sum());
  to.l2.push_back((a - b).norm());
}

/// `count` numbers from low to high, in geometric or arithmetic progression.
inline std::vector<double> spaced(double low, double high, int count, bool geometric) {
  std::vector<double> result;
  for (int i = 0; i < count; ++i) {
    const double t = count > 1 ? static_cast<double>(i) / (count - 1) : 0;
    result.push_back(geometric ? low * std::pow(high / low, t) : low + (high - low) * t);
  }
  return result;
}

inline double at_share(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

inline std::vector<double> mmdagg_grid(std::vector<double> d, int count) {
  std::sort(d.begin(), d.end());
  const double low = d.front() >= 0.1 ? d.front() : std::max(at_share(d, 0.05), 0.1);
  return spaced(low / 2, 2 * std::max(d.back(), 0.3), count, true);
}

inline std::vector<double> fuse_grid(std::vector<double> d, int count) {
  std::sort(d.begin(), d.end());
  const std::size_t half = d.size() / 2;
  const double median = d.size() % 2 != 0 ? d[half] : (d[half - 1] + d[half]) / 2;
  for (double& one : d)
    if (one == 0) one = median;
  std::sort(d.begin(), d.end());
  return spaced(at_share(d, 0.05) / 2, 2 * at_share(d, 0.95), count, false);
}

/// A Laplacian of the l1 distance and a Gaussian for each bandwidth. `l1_factor`, `l2_factor`: what a bandwidth is multiplied by.
inline auto kernels_of(const bandwidth_collection& widths, double l1_factor, double l2_factor) {
  std::vector<kernel::laplacian_l1> laplacians;
  std::vector<kernel::gaussian<bandwidth::fixed>> gaussians;
  const auto positive = [](double width) { return width > 0 ? width : 1; }; // identical rows: any
  for (const double b : widths.l1) laplacians.push_back({positive(b) * l1_factor});
  for (const double b : widths.l2) gaussians.push_back({bandwidth::fixed{positive(b) * l2_factor}});
  return kernel::family(std::span<const kernel::laplacian_l1>(laplacians)) +
         kernel::family(std::span<const kernel::gaussian<bandwidth::fixed>>(gaussians));
}

} // namespace detail

/// MMDAgg's collection: from the distances of all cross pairs, low = the smallest if >= 0.1, else max(the 5 % one, 0.1); high = max(the
/// largest, 0.3); a geometric progression from low / 2 to 2 high. At most 1024 rows of each sample are looked at. O(rows^2 F).
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Zero(2, 2), zt = Eigen::MatrixXd::Constant(2, 2, 3); // all cross distances 6 and 3 sqrt 2
/// const inference::bandwidth_collection b = inference::mmdagg_bandwidths(zs, zt, 3);
/// assert(std::abs(b.l1[0] - 3) < 1e-12 && std::abs(b.l1[2] - 12) < 1e-12 && std::abs(b.l2[1] - std::sqrt(18)) < 1e-12);
/// @endcode
template <sample_like ZS, sample_like ZT>
bandwidth_collection mmdagg_bandwidths(const ZS& zs, const ZT& zt, int count = 10) {
  const auto [source, target] = detail::require_test_samples("mmdagg_bandwidths", zs, zt);
  const detail::row_matrix a = detail::looked_at(source.rows), b = detail::looked_at(target.rows);
  detail::distance_lists d;
  for (index_t i = 0; i < a.rows(); ++i)
    for (index_t j = 0; j < b.rows(); ++j) detail::add_distance(a.row(i), b.row(j), d);
  return {detail::mmdagg_grid(std::move(d.l1), count), detail::mmdagg_grid(std::move(d.l2), count)};
}

/// MMD-FUSE's collection: from the distances of the pooled sample, pairs of a row with itself included, zeros replaced by the median: an
/// arithmetic progression from half of the 5 % one to twice the 95 % one. At most 1024 rows of each sample are looked at. It does not know
/// which rows are source, so that a permutation test with it is exact. O(rows^2 F).
template <sample_like ZS, sample_like ZT>
bandwidth_collection fuse_bandwidths(const ZS& zs, const ZT& zt, int count = 10) {
  const auto [source, target] = detail::require_test_samples("fuse_bandwidths", zs, zt);
  const detail::row_matrix a = detail::looked_at(source.rows), b = detail::looked_at(target.rows);
  detail::row_matrix joint(a.rows() + b.rows(), a.cols());
  joint << a, b;
  detail::distance_lists d;
  for (index_t i = 0; i < joint.rows(); ++i)
    for (index_t j = i; j < joint.rows(); ++j) detail::add_distance(joint.row(i), joint.row(j), d);
  return {detail::fuse_grid(std::move(d.l1), count), detail::fuse_grid(std::move(d.l2), count)};
}

/// Kernels of MMDAgg's collection b: exp(-|x - y|_1 / b) and exp(-|x - y|^2 / b^2). The collection is of cross pairs, as its authors',
/// which a permutation changes a little: with permutations the level is alpha up to that.
template <sample_like ZS, sample_like ZT>
auto mmdagg_kernel(const ZS& zs, const ZT& zt, int count = 10) {
  return detail::kernels_of(mmdagg_bandwidths(zs, zt, count), 1, 1 / std::numbers::sqrt2);
}
/// Kernels of MMD-FUSE's collection b: exp(-sqrt(2) |x - y|_1 / b) and exp(-|x - y|^2 / (2 b^2)).
template <sample_like ZS, sample_like ZT>
auto fuse_kernel(const ZS& zs, const ZT& zt, int count = 10) {
  return detail::kernels_of(fuse_bandwidths(zs, zt, count), 1 / std::numbers::sqrt2, 1);
}

namespace detail {

/// sum_{i != j} k(z_i, z_j)^2 of every term. O(n^2 F), in one pass for all.
template <class Exec, class T, class Profile>
std::vector<double> sums_of_squares(const Exec& exec, const kernel_blocks<T, Profile>& kernel) {
  const index_t terms = kernel.terms();
  workspace scratch;
  const engine::kernel_tiles<T, Profile, engine::term_matrix_visitor> tiles(exec, kernel.layer(), scratch, terms, true);
  const index_t blocks = tiles.blocks();
  std::vector<double> parts(static_cast<std::size_t>(blocks * terms), 0.0), result(static_cast<std::size_t>(terms), 0.0);
  exec.run(blocks, [&](index_t block, int worker) {
    for (index_t other = block; other < blocks; ++other) {
      T* const* kept = tiles(worker, other, block);
      for (index_t k = 0; k < terms; ++k)
        for (index_t i = 0; i < tiles.rows(block).count; ++i) {
          const T* values = kept[k] + i * tiles.stride();
          parts[static_cast<std::size_t>(block * terms + k)] += (other == block ? 1 : 2) * dot(values, values, tiles.rows(other).count);
        }
    }
  });
  for (std::size_t i = 0; i < parts.size(); ++i) result[i % static_cast<std::size_t>(terms)] += parts[i];
  return result;
}

} // namespace detail
} // namespace dalib::inference
