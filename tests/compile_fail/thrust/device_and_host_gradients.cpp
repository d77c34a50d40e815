// expect: dalib: both gradients must have the same scalar type and memory
#include <dalib/thrust.hpp>

int main() {
  const dalib::device_matrix<float> z(3, 2);
  dalib::device_matrix<float> gs(3, 2);
  Eigen::MatrixXf gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{gs, gt}) > 0;
}
