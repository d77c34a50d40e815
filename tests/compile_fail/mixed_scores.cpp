// expect: dalib: all tensors and gradients must have the same scalar type
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf a(3, 2);
  const Eigen::MatrixXd b(3, 2);
  return dalib::margin_disparity{}(a, a, b, b) > 0;
}
