// Gradient descent on the MMD itself: a cloud of points flows until it follows the target's law.
#include <dalib/dalib.hpp>
#include <io/random.hpp>

#include <iostream>

using namespace dalib;
using points = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main() {
  io::random_generator random(3);
  points moving(100, 2), target(150, 2);
  for (double& x : moving.reshaped()) x = 0.3 * random.normal();
  for (Eigen::Index i = 0; i < target.rows(); ++i) { // two clusters
    target(i, 0) = (i % 2 ? 3 : -3) + 0.5 * random.normal();
    target(i, 1) = 0.5 * random.normal();
  }
  // The energy distance has no bandwidth to choose; `checked` throws if the points run away to infinity.
  const checked loss{mmd{kernel::energy{}, estimator::biased{}}};
  points gradient(moving.rows(), 2);
  const matrix_view<double> no_target_gradient; // the target stays: its gradient is not computed
  workspace scratch;
  const double before = loss(moving, target);
  double now = before;
  for (int step = 0; step < 300; ++step) {
    now = loss.value_and_gradient(exec::serial{}, moving, target, gradients{view_of(gradient), no_target_gradient}, scratch);
    moving -= 30 * gradient;
  }
  const auto right = (moving.col(0).array() > 0).count();
  std::cout << "energy distance " << before << " -> " << now << ", " << right << " of " << moving.rows() << " points went right\n";
  return now < 0.02 * before ? 0 : 1;
}
