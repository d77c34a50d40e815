// expect: dalib: the third argument of mmd must be an accumulator, such as dalib::accumulator::plain
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{dalib::kernel::gaussian{}, dalib::estimator::biased{}, 1.0}(z, z) > 0;
}
