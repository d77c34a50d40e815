// expect: dalib: a kernel needs operator()(T s) -> dalib::jet<T>
#include <dalib/dalib.hpp>

struct value_alone {
  using statistic = dalib::squared_distance;
  template <class T>
  T operator()(T s) const {
    return T(1) / (T(1) + s);
  }
};

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{value_alone{}}(z, z) > 0;
}
