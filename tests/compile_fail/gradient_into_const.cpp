// expect: dalib: gradients are written, so their tensors must not be const
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd z(3, 2), gs(3, 2);
  Eigen::MatrixXd gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{gs, gt}) > 0;
}
