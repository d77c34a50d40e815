// expect: dalib: source and target must have the same scalar type and memory
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf zs(3, 2);
  const Eigen::MatrixXd zt(3, 2);
  return dalib::mmd{}(zs, zt) > 0;
}
