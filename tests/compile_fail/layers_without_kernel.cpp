// expect: dalib: joint_mmd takes one tensor for each of its kernels in each domain: layers(z1, z2, ...)
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf z(3, 2);
  return dalib::joint_mmd{}(dalib::layers(z, z, z), dalib::layers(z, z, z)) > 0;
}
