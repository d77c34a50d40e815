// expect: dalib: a pack or a jet has come to a function that takes plain numbers only. Write exp(s) and not std::exp(s)
#include <dalib/dalib.hpp>

int main() {
  const auto k = dalib::kernel::from_value([](auto s) { return std::exp(-s); });
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{k}(z, z) > 0;
}
