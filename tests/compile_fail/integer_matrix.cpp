// expect: dalib: tensors must hold float or double
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXi zs(3, 2), zt(3, 2);
  return static_cast<int>(dalib::mmd{}(zs, zt));
}
