// expect: dalib: the first argument must be an execution policy, such as dalib::exec::serial
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{}(2, z, z) > 0;
}
