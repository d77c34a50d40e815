#pragma once
#include <autodiff/autodiff.hpp>
#include <doctest/doctest.h>
#include <io/random.hpp>

namespace dalib::test {

using ad::index_t;

/// Standard normal matrix.
inline ad::matrix<double> random_matrix(index_t rows, index_t cols, std::uint64_t seed) {
  io::random_generator random(seed);
  ad::matrix<double> result(rows, cols);
  for (index_t i = 0; i < result.size(); ++i) result.data()[i] = random.normal();
  return result;
}

/// Leaf with gradient, as the pixels of `shape`.
inline ad::variable<double> random_leaf(ad::geometry shape, index_t cols, std::uint64_t seed) {
  auto leaf = ad::constant(random_matrix(shape.rows(), cols, seed), shape);
  leaf.set_requires_gradient(true);
  return leaf;
}
inline ad::variable<double> random_leaf(index_t rows, index_t cols, std::uint64_t seed) {
  return random_leaf(ad::geometry{rows, 1, 1}, cols, seed);
}

/// sum(y * R) for a fixed random R: a scalar whose gradient reaches every element differently.
inline ad::variable<double> weighted_sum(const ad::variable<double>& y) {
  return ad::sum(ad::multiply(y, ad::constant(random_matrix(y.rows(), y.cols(), 99), y.shape())));
}

/// Compares the gradient of f(leaves) -> 1 x 1 with central differences in every element of every leaf, and checks that it is not zero.
template <class Function>
void check_gradients(const std::vector<ad::variable<double>>& leaves, const Function& f, double tolerance = 1e-7, double step = 1e-5) {
  for (const auto& leaf : leaves) leaf.clear_gradient();
  ad::backward(f());
  for (std::size_t which = 0; which < leaves.size(); ++which) {
    CAPTURE(which);
    const auto& leaf = leaves[which];
    REQUIRE(leaf.has_gradient());
    const ad::matrix<double> analytic = leaf.gradient();
    CHECK(analytic.cwiseAbs().maxCoeff() > 1e-6);
    ad::matrix<double> numeric(leaf.rows(), leaf.cols());
    for (index_t i = 0; i < numeric.size(); ++i) {
      double& element = leaf.mutable_value().data()[i];
      const double before = element;
      element = before + step;
      const double above = f().item();
      element = before - step;
      const double below = f().item();
      element = before;
      numeric.data()[i] = (above - below) / (2 * step);
    }
    CHECK((analytic - numeric).cwiseAbs().maxCoeff() < tolerance * std::max(1.0, numeric.cwiseAbs().maxCoeff()));
  }
}

} // namespace dalib::test
