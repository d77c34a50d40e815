// expect: dalib: this type is not a tensor that dalib knows. Evaluate expressions into a matrix first
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXd a(3, 2), b(3, 2);
  return dalib::mmd{}(a + b, b) > 0;
}
