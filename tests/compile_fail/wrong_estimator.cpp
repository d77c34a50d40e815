// expect: dalib: the second argument of mmd must be an estimator, such as dalib::estimator::unbiased
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{dalib::kernel::gaussian{}, dalib::kernel::linear{}}(z, z) > 0;
}
