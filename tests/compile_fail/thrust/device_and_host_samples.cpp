// expect: dalib: source and target must have the same scalar type and memory
#include <dalib/thrust.hpp>

int main() {
  const dalib::device_matrix<float> zs(3, 2);
  const Eigen::MatrixXf zt(3, 2);
  return dalib::mmd{}(zs, zt) > 0;
}
