// expect: dalib: the first argument of mmd must be a kernel: a type with `using statistic = ...`
#include <dalib/dalib.hpp>

struct half {
  template <class T>
  dalib::jet<T> operator()(T s) const {
    return {T(0.5) * s, T(0.5)};
  }
};

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{half{}}(z, z) > 0;
}
