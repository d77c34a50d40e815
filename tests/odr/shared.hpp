#pragma once

#include <Eigen/Core>

/// A value that both translation units compute from the library's templates.
inline double shared_value() {
  const Eigen::MatrixXd source{{0.0, 1.0}, {1.0, 0.5}, {2.0, -1.0}};
  return source.sum();
}
