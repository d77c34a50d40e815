// expect: dalib: a comparison of packs has an answer for each lane: write select(a < b, yes, no)
#include <dalib/dalib.hpp>

struct compact {
  using statistic = dalib::squared_distance;
  template <class T>
  dalib::jet<T> operator()(T s) const {
    return {s < T(1) ? T(1) - s : T(0), T(-1)};
  }
};

int main() {
  const Eigen::MatrixXd z(3, 2);
  return dalib::mmd{compact{}}(z, z) > 0;
}
