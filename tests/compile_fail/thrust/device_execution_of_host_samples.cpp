// expect: dalib: this execution policy does not work on the memory that the tensors are in
#include <dalib/thrust.hpp>

int main() {
  const Eigen::MatrixXf z(3, 2);
  return dalib::mmd{}(dalib::exec::thrust{}, z, z) > 0;
}
