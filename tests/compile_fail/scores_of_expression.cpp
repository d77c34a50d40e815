// expect: dalib: this type is not a tensor that dalib knows
#include <dalib/dalib.hpp>

int main() {
  const Eigen::MatrixXf z(8, 2);
  return dalib::classifier_discrepancy{}(z + z, z) > 0;
}
