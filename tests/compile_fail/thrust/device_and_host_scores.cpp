// expect: dalib: all tensors and gradients must be in the same memory, of the host or of the device
#include <dalib/thrust.hpp>

int main() {
  const dalib::device_matrix<float> first(3, 2);
  const Eigen::MatrixXf second(3, 2);
  return dalib::classifier_discrepancy{}(first, second) > 0;
}
