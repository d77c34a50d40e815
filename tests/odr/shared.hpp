#pragma once

#include <dalib/dalib.hpp>

/// A value that both translation units compute from the library's templates.
inline double shared_value() {
  const Eigen::MatrixXd source{{0.0, 1.0}, {1.0, 0.5}, {2.0, -1.0}};
  const Eigen::MatrixXd target{{3.0, 1.0}, {4.0, 0.5}};
  return dalib::mmd{dalib::kernel::gaussian{}, dalib::estimator::biased{}}(source, target);
}
