// expect: dalib: this type is not a tensor that dalib knows
#include <dalib/dalib.hpp>

#include <vector>

int main() {
  const std::vector<double> zs(6), zt(6);
  return dalib::mmd{}(zs, zt) > 0;
}
