// expect: dalib: samples and gradients must have the same scalar type
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf z(3, 2);
  Eigen::MatrixXd gs(3, 2), gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{gs, gt}) > 0;
}
