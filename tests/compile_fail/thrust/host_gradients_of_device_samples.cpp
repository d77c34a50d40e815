// expect: dalib: samples and gradients must be in the same memory, of the host or of the device
#include <dalib/thrust.hpp>

int main() {
  const dalib::device_matrix<float> z(3, 2);
  Eigen::MatrixXf gs(3, 2), gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{gs, gt}) > 0;
}
