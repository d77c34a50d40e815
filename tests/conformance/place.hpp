/// @file
/// Where the checks run what they check: on the host, or on a device with DALIB_TEST_THRUST.
#pragma once

#include "samples.hpp"

#ifdef DALIB_TEST_THRUST
#  include "support/on_device.hpp"
#endif

namespace conformance {

/// The library's functions on host tensors.
struct on_host {
  template <class Measure>
  static Measure measure(const Measure& m) {
    return m;
  }
  template <class Kernel, class T>
  static void kernel_matrix(const Kernel& kernel, const matrix<T>& x, matrix<T>& k) {
    dalib::kernel_matrix(dalib::exec::serial{}, kernel, x, k);
  }
  template <class Kernel, class T>
  static T kernel_matrix_gradient(const Kernel& kernel, const matrix<T>& x, const matrix<T>& upstream, matrix<T>& gradient) {
    return dalib::kernel_matrix_gradient(dalib::exec::serial{}, kernel, x, upstream, gradient);
  }
  /// sigma^2 that a bandwidth rule gives on these samples.
  template <class Rule, class A, class B>
  static double squared_scale(const Rule& rule, const A& zs, const B& zt) {
    using T = dalib::sample_value<A>;
    dalib::workspace scratch;
    const dalib::engine::joint_sample<T> data{dalib::sample_of(zs), dalib::sample_of(zt)};
    return dalib::engine::squared_scale_of(dalib::exec::serial{}, rule, data, scratch);
  }
};

/// sigma^2 that `rule` gives on these host samples.
template <class Rule, class A, class B>
double squared_scale(const Rule& rule, const A& zs, const B& zt) {
  return on_host::squared_scale(rule, zs, zt);
}

#ifdef DALIB_TEST_THRUST
using tested_place = on_device;
#else
using tested_place = on_host;
#endif

} // namespace conformance
