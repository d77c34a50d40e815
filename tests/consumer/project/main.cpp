#include <dalib/dalib.hpp>

#include <cstdio>

int main() {
  const Eigen::MatrixXd source{{0.0, 1.0}, {1.0, 0.5}, {2.0, -1.0}};
  const Eigen::MatrixXd target{{3.0, 1.0}, {4.0, 0.5}};
  const dalib::mmd loss{dalib::kernel::gaussian_ladder(0.125, 5), dalib::estimator::biased{}};
  const auto [value, gradient_s, gradient_t] = dalib::value_and_gradient(loss, source, target);
  std::printf("mmd %g, gradient norms %g and %g\n", value, gradient_s.norm(), gradient_t.norm());
  return value > 0 && gradient_s.norm() > 0 && gradient_t.norm() > 0 ? 0 : 1;
}
