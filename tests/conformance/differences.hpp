/// @file
/// Gradients by central differences, and the kernel with its bandwidth held fixed that they need.
#pragma once

#include "samples.hpp"

#include <cstddef>

namespace conformance {

/// Both gradients of a measure over two samples.
template <class T>
struct gradient_pair {
  matrix<T> source;
  matrix<T> target;
};

/// The kernel with every bandwidth resolved on these samples: bandwidths are detached, so differences must not move them.
template <class T, class Kernel>
auto frozen(const Kernel& kernel, const matrix<T>& zs, const matrix<T>& zt) {
  dalib::workspace scratch;
  const dalib::engine::joint_sample<T> data{dalib::sample_of(zs), dalib::sample_of(zt)};
  const dalib::engine::sample_summary<T> summary(dalib::exec::serial{}, data, scratch);
  return dalib::bind(kernel, summary);
}

/// df/dz by central differences of step `step`, z changed in place and restored.
template <class F>
matrix<double> central_differences(const F& f, matrix<double>& z, double step) {
  matrix<double> slope(z.rows(), z.cols());
  for (dalib::index_t i = 0; i < z.size(); ++i) {
    double& entry = z.data()[i];
    const double before = entry;
    entry = before + step;
    const double above = f();
    entry = before - step;
    const double below = f();
    entry = before;
    slope.data()[i] = (above - below) / (2 * step);
  }
  return slope;
}

/// Both gradients of `measure` by central differences.
template <class Measure>
gradient_pair<double> central_differences(const Measure& measure, matrix<double> zs, matrix<double> zt, double step = 1e-5) {
  const auto value = [&] { return static_cast<double>(measure(zs, zt)); };
  gradient_pair<double> result;
  result.source = central_differences(value, zs, step);
  result.target = central_differences(value, zt, step);
  return result;
}

} // namespace conformance
