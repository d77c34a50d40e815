/// @file
/// Laws of every kernel: `conformance::check_kernel(my_kernel{})`.
#pragma once

#include "differences.hpp"
#include "place.hpp"
#include "report.hpp"

#include <Eigen/Eigenvalues>

#include <cmath>

namespace conformance {

/// Which laws a kernel promises, and on which data they are tried.
struct kernel_options {
  bool positive_definite = true; ///< every kernel matrix has no negative eigenvalue
  bool reads_scale = true;       ///< V(X, Y) != 0 for samples that differ by a shift and by their spread
  dalib::index_t rows = 11;
  dalib::index_t features = 3;
  double float_tolerance = 2e-5; ///< relative, gradient in float against double
  std::uint64_t seed = 1;
};

namespace detail {

template <class Kernel, class Place>
report check_kernel_matrix(const Kernel& kernel, const kernel_options& options, Place place) {
  report found;
  matrix<double> x = normal_rows<double>(options.rows, options.features, options.seed);
  const matrix<double> reversed = x.colwise().reverse();
  matrix<double> k(x.rows(), x.rows()), k_reversed(x.rows(), x.rows());
  place.kernel_matrix(kernel, x, k);
  place.kernel_matrix(kernel, reversed, k_reversed);
  const double size = k.cwiseAbs().maxCoeff();
  found.require(k.allFinite() && size > 0, "the kernel matrix is finite and not zero");
  found.require_small((k - k.transpose()).cwiseAbs().maxCoeff(), 0, "k(x, y) = k(y, x)");
  found.require_small((k - k_reversed.reverse()).cwiseAbs().maxCoeff(), 1e-12 * size, "k does not depend on the order of the rows");
  if (options.positive_definite)
    found.require_small(std::min(0.0, Eigen::SelfAdjointEigenSolver<matrix<double>>(k).eigenvalues().minCoeff()),
                        1e-12 * size * static_cast<double>(k.rows()), "positive definite: negative eigenvalue");

  const matrix<double> none(0, x.cols());
  const auto bound = frozen(kernel, x, none);
  const matrix<double> upstream = normal_rows<double>(x.rows(), x.rows(), options.seed + 1);
  matrix<double> gradient(x.rows(), x.cols());
  const double sum = place.kernel_matrix_gradient(kernel, x, upstream, gradient);
  found.require_small(sum - (upstream.array() * k.array()).sum(), 1e-11 * size * static_cast<double>(k.size()), "sum of the entries");
  const matrix<double> differences = central_differences(
      [&] {
        on_host::kernel_matrix(bound, x, k);
        return (upstream.array() * k.array()).sum();
      },
      x, 1e-5);
  found.require_small(relative_difference(gradient, differences), 1e-7, "gradient of the kernel matrix against differences");
  return found;
}

template <class Kernel, class Place>
report check_kernel_in_mmd(const Kernel& kernel, const kernel_options& options, Place place) {
  report found;
  const auto measure = place.measure(dalib::mmd{kernel, dalib::estimator::biased{}});
  const matrix<double> zs = normal_rows<double>(options.rows, options.features, options.seed + 2);
  const matrix<double> zt = normal_rows<double>(options.rows + 2, options.features, options.seed + 3, 1.5, 0.7);
  const auto result = dalib::value_and_gradient(measure, zs, zt);
  found.require(std::isfinite(result.value), "the MMD is finite");
  if (options.reads_scale) {
    found.require(std::abs(result.value) > 1e-6, "the MMD of two laws is not zero");
    found.require(result.source.norm() > 1e-7 && result.target.norm() > 1e-7, "the gradient is not identically zero");
  }

  matrix<double> joint(zs.rows() + zt.rows(), zs.cols()), k(joint.rows(), joint.rows());
  joint << zs, zt;
  place.kernel_matrix(kernel, joint, k);
  Eigen::VectorXd sign(joint.rows());
  sign << Eigen::VectorXd::Constant(zs.rows(), 1.0 / static_cast<double>(zs.rows())),
      Eigen::VectorXd::Constant(zt.rows(), -1.0 / static_cast<double>(zt.rows()));
  const double size = k.cwiseAbs().maxCoeff();
  found.require_small(result.value - sign.dot(k * sign), 1e-12 * size, "V statistic = quadratic form of the kernel matrix");

  const auto expected = central_differences(dalib::mmd{frozen(kernel, zs, zt), dalib::estimator::biased{}}, zs, zt);
  found.require_small(relative_difference(result.source, expected.source), 1e-6, "gradient of the source against differences");
  found.require_small(relative_difference(result.target, expected.target), 1e-6, "gradient of the target against differences");

  const matrix<float> zs32 = zs.template cast<float>(), zt32 = zt.template cast<float>();
  const auto single = dalib::value_and_gradient(measure, zs32, zt32);
  found.require_small(static_cast<double>(single.value) - result.value, options.float_tolerance * size, "value in float against double");
  found.require_small(relative_difference(single.source, result.source), options.float_tolerance, "gradient in float against double");
  return found;
}

template <class Kernel, class Place>
report check_degenerate(const Kernel& kernel, const kernel_options& options, Place place) {
  report found;
  const auto measure = place.measure(dalib::mmd{kernel, dalib::estimator::biased{}});
  const matrix<double> x = normal_rows<double>(options.rows, options.features, options.seed + 4);
  const auto same = dalib::value_and_gradient(measure, x, x);
  matrix<double> k(x.rows(), x.rows());
  place.kernel_matrix(kernel, x, k);
  const double size = k.cwiseAbs().maxCoeff();
  found.require_small(same.value, 1e-12 * size, "V(X, X) = 0");
  found.require_small(same.source.norm() + same.target.norm(), 1e-11 * size, "the gradient of V(X, X) is 0");

  const matrix<double> equal_rows = matrix<double>::Constant(4, options.features, 0.3);
  const auto flat = dalib::value_and_gradient(measure, equal_rows, equal_rows);
  found.require(std::isfinite(flat.value) && flat.source.allFinite() && flat.target.allFinite(), "identical rows give finite results");
  const matrix<double> zeros = matrix<double>::Zero(3, options.features);
  const auto origin = dalib::value_and_gradient(measure, zeros, zeros);
  found.require(std::isfinite(origin.value) && origin.source.allFinite() && origin.target.allFinite(), "zero rows give finite results");
  return found;
}

} // namespace detail

/// Symmetric; positive definite where promised; gradients equal to differences; not identically zero; V(X, X) = 0 with gradient 0; value as
/// the quadratic form of the kernel matrix; float near double; finite on identical and on zero rows.
/// @param place  where the library's functions run; see place.hpp
template <class Kernel, class Place = tested_place>
report check_kernel(const Kernel& kernel, const kernel_options& options = {}, Place place = {}) {
  report found = detail::check_kernel_matrix(kernel, options, place);
  found.add(detail::check_kernel_in_mmd(kernel, options, place));
  found.add(detail::check_degenerate(kernel, options, place));
  return found;
}

} // namespace conformance
