// expect: dalib: both gradients must have the same scalar type and memory
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf z(3, 2);
  Eigen::MatrixXf gs(3, 2);
  Eigen::MatrixXd gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{gs, gt}) > 0;
}
