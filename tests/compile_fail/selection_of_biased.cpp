// expect: dalib: kernels are selected with estimator::linear_time or estimator::unbiased, whose covariance is known
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf z(8, 2);
  const dalib::mmd loss{dalib::kernel::gaussian_ladder<>{}, dalib::estimator::biased{}};
  return static_cast<int>(dalib::select_kernel_weights(loss, z, z, dalib::selection::maximum_mmd{}).raw.size());
}
