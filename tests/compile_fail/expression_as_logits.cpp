// expect: dalib: this type is not a tensor that dalib knows
#include <dalib/dalib.hpp>

int main() {
  Eigen::MatrixXd a(3, 1), g(3, 1);
  return dalib::domain_adversarial<>{}.value_and_gradient(2 * a, a, dalib::gradients{g, g}) > 0;
}
