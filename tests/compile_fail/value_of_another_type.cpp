// expect: dalib: the function given to kernel::from_value must return what its argument is made of
#include <dalib/dalib.hpp>

int main() {
  const auto k = dalib::kernel::from_value([](auto) { return "one"; });
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{k}(z, z) > 0;
}
