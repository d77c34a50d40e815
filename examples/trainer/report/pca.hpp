#pragma once
// Principal component analysis.

#include "text.hpp"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace dalib::report {

/// Principal components of n points with F features.
struct principal_components {
  Eigen::MatrixXd scores;     ///< (n, K): the centred points in the basis of the components
  Eigen::MatrixXd components; ///< (F, K): orthonormal columns, largest variance first
  Eigen::VectorXd variances;  ///< (K): variances along the components, divisor n - 1
  Eigen::RowVectorXd mean;    ///< (F): mean of the points
};

namespace detail {

/// Eigen's own threads would let the last bits depend on their number, so they rest while this lives. The setting is the whole
/// process's: products that other threads start meanwhile are serial too.
class serial_products {
public:
  serial_products() { Eigen::setNbThreads(1); }
  ~serial_products() { Eigen::setNbThreads(previous_); }
  serial_products(const serial_products&) = delete;
  serial_products& operator=(const serial_products&) = delete;

private:
  int previous_ = Eigen::nbThreads();
};

/// The points as doubles. Throws std::invalid_argument, naming the function, if there are none or one is not usable.
template <class Derived>
Eigen::MatrixXd finite_copy(const Eigen::MatrixBase<Derived>& points, const char* function) {
  const std::string shape = joined("(", std::to_string(points.rows()), ", ", std::to_string(points.cols()), ")");
  if (points.rows() < 1 || points.cols() < 1)
    throw std::invalid_argument(joined(function, ": needs at least one point and one feature, got ", shape));
  Eigen::MatrixXd copy = points.template cast<double>();
  // The bound keeps squares and sums of squares finite.
  if (!(copy.array().abs() <= 1e100).all())
    throw std::invalid_argument(joined(function, ": the points ", shape, " contain NaN, infinity or values above 1e100"));
  return copy;
}

} // namespace detail

/// The first `count` principal components of `points`, shape (n, F), any Eigen matrix; at most min(n, F) of them. The sign of each
/// component is such that its largest entry in size is positive, so the result is deterministic; it is also the same for any number of
/// threads. O(min(n, F)^2 (n + F)) time: the eigenvectors are taken of the smaller one of X'X and XX'. Components without variance have
/// zero scores; with n < F their directions are zero as well.
/// Throws std::invalid_argument for an empty matrix, for NaN, infinity or values above 1e100 and for count < 1.
template <class Derived>
principal_components pca(const Eigen::MatrixBase<Derived>& points, Eigen::Index count) {
  const detail::serial_products guard;
  Eigen::MatrixXd centred = detail::finite_copy(points, "pca");
  if (count < 1) throw std::invalid_argument(joined("pca: the number of components must be positive, got ", std::to_string(count)));
  const Eigen::Index n = centred.rows();
  const Eigen::Index features = centred.cols();
  const Eigen::Index kept = std::min(count, std::min(n, features));
  principal_components result;
  result.mean = centred.colwise().mean();
  centred.rowwise() -= result.mean;

  const bool many_points = n >= features;
  const Eigen::MatrixXd gram =
      many_points ? Eigen::MatrixXd(centred.transpose() * centred) : Eigen::MatrixXd(centred * centred.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
  if (solver.info() != Eigen::Success) throw std::runtime_error("pca: the eigenvalue iteration did not converge");
  // The solver sorts upwards; rounding may leave variances of -1e-17.
  const Eigen::VectorXd squares = solver.eigenvalues().reverse().head(kept).cwiseMax(0.0);
  const Eigen::MatrixXd vectors = solver.eigenvectors().rowwise().reverse().leftCols(kept);
  result.components = many_points ? vectors : Eigen::MatrixXd(centred.transpose() * vectors);
  for (Eigen::Index k = 0; k < kept; ++k) {
    auto component = result.components.col(k);
    const double norm = component.norm();
    if (norm > 0) component /= norm;
    Eigen::Index largest = 0;
    component.cwiseAbs().maxCoeff(&largest);
    if (component(largest) < 0) component = -component;
  }
  result.scores = centred * result.components;
  result.variances = squares / static_cast<double>(std::max<Eigen::Index>(n - 1, 1));
  return result;
}

} // namespace dalib::report
