// Every kernel, bandwidth and estimator, and every measure of pairs: each once with the default of the others, value and gradient.
#include <dalib/dalib.hpp>

using namespace dalib;

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T, class Loss>
void call(const Loss& loss, const matrix<T>& zs, const matrix<T>& zt, matrix<T>& gs, matrix<T>& gt) {
  static_cast<void>(loss(zs, zt));
  static_cast<void>(loss.value_and_gradient(exec::default_policy{}, zs, zt, gradients{gs, gt}));
}

template <class T>
void all() {
  matrix<T> zs, zt, gs, gt;
  const auto with_kernel = [&](const auto& one) { call<T>(mmd{one}, zs, zt, gs, gt); };
  with_kernel(kernel::gaussian{bandwidth::fixed{1}});
  with_kernel(kernel::gaussian{bandwidth::median{}});
  with_kernel(kernel::gaussian_ladder{});
  with_kernel(kernel::laplacian{});
  with_kernel(kernel::laplacian_l1{});
  with_kernel(kernel::rational_quadratic{});
  with_kernel(kernel::inverse_multiquadric{});
  with_kernel(kernel::matern<kernel::matern_order::three_halves>{});
  with_kernel(kernel::matern{});
  with_kernel(kernel::energy{});
  with_kernel(kernel::linear{});
  with_kernel(kernel::polynomial{});
  with_kernel(kernel::cosine{});
  with_kernel(kernel::gaussian{} + 0.5 * kernel::linear{} * kernel::cosine{});
  with_kernel(kernel::from_value([](auto s) {
    using std::exp;
    return exp(-0.01f * s);
  }));
  const auto with_estimator = [&](const auto& one) { call<T>(mmd{kernel::gaussian{}, one}, zs, zt, gs, gt); };
  with_estimator(estimator::biased{});
  with_estimator(estimator::unbiased{});
  with_estimator(estimator::linear_time{});
  with_estimator(estimator::block{4});
  with_estimator(estimator::incomplete{9});
  with_estimator(compat::nonlinear{});
  with_estimator(compat::ring{});
  call<T>(mmd{kernel::gaussian{}, estimator::unbiased{}, accumulator::compensated{}}, zs, zt, gs, gt);
  call<T>(weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, zs, zt, gs, gt);
  const joint_mmd joint;
  static_cast<void>(joint(layers(zs, zs), layers(zt, zt)));
  static_cast<void>(value_and_gradient(joint, layers(zs, zs), layers(zt, zt)));
  kernel_matrix(exec::default_policy{}, kernel::gaussian{}, zs, gs);
  static_cast<void>(kernel_matrix_gradient(exec::default_policy{}, kernel::gaussian{}, zs, gs, gt));
  kernel_matrix(exec::default_policy{}, kernel::gaussian{}, zs, zt, gs);
  static_cast<void>(kernel_matrix_gradient(exec::default_policy{}, kernel::gaussian{}, zs, zt, zs, gradients{gs, gt}));
}

} // namespace

void all_pair_losses() {
  all<float>();
  all<double>();
}
