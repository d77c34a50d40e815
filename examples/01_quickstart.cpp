// MMD between two samples: value, gradients, a kernel of one's own. The snippet of the README.
#include <dalib/dalib.hpp>

#include <iostream>

using namespace dalib;

struct cauchy { // a kernel is a function of a pair statistic that returns its value and its slope; it runs in SIMD lanes
  using statistic = squared_distance;
  double gamma = 1;
  template <class T>
  DALIB_HD jet<T> operator()(T s) const {
    T u = T(1) / (T(1) + T(gamma) * s);
    return {u, -T(gamma) * u * u};
  }
};

int main() {
  const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(64, 256);                // (n_s, F): rows are samples
  const Eigen::MatrixXf zt = Eigen::MatrixXf::Random(48, 256).array() + 0.1f; // (n_t, F): n_t may differ

  auto loss = mmd{kernel::gaussian_ladder(1.f / 8, 5), estimator::unbiased{}};
  float v = loss(zs, zt);                               // the value alone: no gradient code is even instantiated
  auto [v2, gs, gt] = value_and_gradient(loss, zs, zt); // exact gradients in the same pass
  std::cout << "MK-MMD " << v << " = " << v2 << ", |gradient| " << gs.norm() << " and " << gt.norm() << '\n';

  const checked careful{loss}; // for training: throws at NaN or infinity in a sample and names the place
  Eigen::MatrixXf own_gs(64, 256), own_gt(48, 256); // in a training loop: the caller's memory, nothing allocated
  workspace scratch;
  careful.value_and_gradient(exec::default_policy{}, zs, zt, gradients{own_gs, own_gt, -0.5f}, scratch); // scaled by -1/2

  auto own = mmd{cauchy{.gamma = .5} + 0.3 * kernel::linear{}, estimator::biased{}};
  auto lazy = mmd{kernel::from_value([](auto s) {
    using std::exp;
    return exp(-0.01f * s);
  })}; // its slope by dual numbers
  std::cout << "own kernel " << own(zs, zt) << ", from its value alone " << lazy(zs, zt) << '\n';

  return (own_gs + 0.5f * gs).norm() <= 1e-6f * gs.norm() && v == v2 ? 0 : 1;
}
