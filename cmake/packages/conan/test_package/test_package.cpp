#include <dalib/dalib.hpp>

#include <cstdio>

int main() {
  const Eigen::MatrixXd x = Eigen::MatrixXd::Random(8, 3), y = Eigen::MatrixXd::Random(6, 3).array() + 2;
  const double value = dalib::mmd{}(x, y);
  std::printf("dalib %d.%d.%d: mmd %g\n", DALIB_VERSION_MAJOR, DALIB_VERSION_MINOR, DALIB_VERSION_PATCH, value);
  return value > 0 ? 0 : 1;
}
