// expect: dalib: a temporary that owns its memory cannot receive gradients
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd z(3, 2);
  Eigen::MatrixXd gt(3, 2);
  return dalib::mmd{}.value_and_gradient(z, z, dalib::gradients{Eigen::MatrixXd(3, 2), gt}) > 0;
}
