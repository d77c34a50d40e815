// MMD on the GPU: the same measure, only the tensors change. Compiled with nvcc when DALIB_CUDA is on; without a GPU the same file runs on
// the CPU by g++ -std=c++20 -fopenmp -x c++ -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_OMP.
#include <dalib/thrust.hpp>

#include <cmath>
#include <iostream>

using namespace dalib;

struct cauchy { // a kernel of one's own: marked DALIB_HD it runs on both sides
  using statistic = squared_distance;
  double gamma = 1;
  template <class T>
  DALIB_HD jet<T> operator()(T s) const {
    T u = T(1) / (T(1) + T(gamma) * s);
    return {u, -T(gamma) * u * u};
  }
};

int main() try {
  const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(2000, 256);                // (n_s, F) on the host
  const Eigen::MatrixXf zt = Eigen::MatrixXf::Random(1500, 256).array() + 0.1f; // (n_t, F)
  const device_matrix ds(zs), dt(zt);                                           // copies in device memory

  const auto loss = mmd{kernel::gaussian_ladder(1.f / 8, 5), estimator::unbiased{}};
  auto [value, gs, gt] = value_and_gradient(loss, ds, dt); // gradients are device matrices
  const auto [host_value, host_gs, host_gt] = value_and_gradient(loss, zs, zt);
  const float difference = (gs.to_host() - host_gs).norm() / host_gs.norm();
  std::cout << "MK-MMD on the device " << value << ", on the host " << host_value << "; gradients differ by " << difference << '\n';

  // In a training loop: a stream, your own memory by pointer and strides, and scratch memory that is kept.
  const exec::thrust exec{device_stream{}, product_precision::full}; // TF32 only where it is asked for
  device_workspace scratch;
  device_matrix<float> own_gs(2000, 256), own_gt(1500, 256);
  const matrix_view<float, device_memory> to(own_gs.data(), 2000, 256, 256, 1);
  for (int step = 0; step < 3; ++step) loss.value_and_gradient(exec, ds, dt, gradients{to, own_gt, -0.5f}, scratch); // scaled by -1/2
  exec.synchronise(); // gradients are written on the stream
  std::cout << "|gradient| " << gs.to_host().norm() << ", scaled " << own_gs.to_host().norm() << '\n';

  const auto own = mmd{cauchy{.gamma = 0.5} + 0.3 * kernel::linear{}, estimator::biased{}};
  std::cout << "own kernel on the device " << own(ds, dt) << ", on the host " << own(zs, zt) << '\n';
  return std::abs(value - host_value) < 1e-5f && difference < 1e-4f ? 0 : 1;
} catch (const device_error& error) { // without a GPU, or when one of its calls fails: the message starts with the call's name
  std::cerr << "05_gpu: " << error.what() << '\n';
  return 1;
}
