/// @file
/// Means and covariances of a few numbers, gathered in one pass.
#pragma once

#include <array>
#include <cstddef>

namespace dalib::selection {

/// Most kernels that a selection looks at.
inline constexpr int most_kernels = 16;

/// Mean and covariance of vectors of up to most_kernels numbers (Welford's update, merged as by Chan et al. 1979): no cancellation, however
/// large the mean is against the spread.
///
/// @code{.cpp}
/// selection::running_covariance first, second;
/// const double rows[3][2] = {{1e9, 0}, {1e9 + 1, 1}, {1e9 + 2, 2}};
/// first.add(rows[0], 2);
/// first.add(rows[1], 2);
/// second.add(rows[2], 2);
/// first.merge(second, 2);
/// assert(first.mean[0] == 1e9 + 1 && first.covariance(0, 1) == 1 && first.covariance(1, 1) == 1);
/// @endcode
struct running_covariance {
  double count = 0;
  std::array<double, most_kernels> mean{};
  std::array<double, most_kernels * most_kernels> moment{}; ///< sum of (x - mean)_k (x - mean)_l, row-major

  void add(const double* x, int size) {
    count += 1;
    std::array<double, most_kernels> before{}, after{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(size); ++k) {
      before[k] = x[k] - mean[k];
      mean[k] += before[k] / count;
      after[k] = x[k] - mean[k];
    }
    for (std::size_t k = 0; k < static_cast<std::size_t>(size); ++k)
      for (std::size_t l = 0; l < static_cast<std::size_t>(size); ++l) moment[k * most_kernels + l] += before[k] * after[l];
  }

  void merge(const running_covariance& other, int size) {
    if (other.count == 0) return;
    const double total = count + other.count;
    std::array<double, most_kernels> apart{};
    for (std::size_t k = 0; k < static_cast<std::size_t>(size); ++k) apart[k] = other.mean[k] - mean[k];
    for (std::size_t k = 0; k < static_cast<std::size_t>(size); ++k) {
      mean[k] += apart[k] * other.count / total;
      for (std::size_t l = 0; l < static_cast<std::size_t>(size); ++l)
        moment[k * most_kernels + l] += other.moment[k * most_kernels + l] + apart[k] * apart[l] * count * other.count / total;
    }
    count = total;
  }

  /// Unbiased covariance of numbers k and l; needs count > 1. Symmetric to the last bit.
  double covariance(int k, int l) const {
    const auto at = [&](int a, int b) { return moment[static_cast<std::size_t>(a * most_kernels + b)]; };
    return (at(k, l) + at(l, k)) / (2 * (count - 1));
  }
};

} // namespace dalib::selection
