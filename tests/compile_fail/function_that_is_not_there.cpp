// expect: include/dalib/extending.md lists all functions that there are
#include <dalib/dalib.hpp>

struct with_gamma {
  using statistic = dalib::squared_distance;
  template <class T>
  dalib::jet<T> operator()(T s) const {
    using std::lgamma;
    return {lgamma(s), T(1)};
  }
};

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{with_gamma{}}(z, z) > 0;
}
