/// @file
/// Measures of host matrices that are computed on a Thrust device: arguments are copied there, gradients back.
#pragma once

#include <dalib/thrust.hpp>

#include <thrust/device_vector.h>
#include <type_traits>
#include <utility>

namespace conformance {

namespace detail {

template <class T>
using device_sample = dalib::sample<T, dalib::device_memory>;

/// A copy of a host sample, with its weights, on the device.
template <class T>
class copied_sample {
public:
  explicit copied_sample(const dalib::sample<T>& from) : rows_(from.rows) {
    if (from.weights) weights_.assign(from.weights, from.weights + from.rows.rows);
  }
  device_sample<T> get() const {
    return {dalib::const_view_of(rows_), weights_.empty() ? nullptr : ::thrust::raw_pointer_cast(weights_.data())};
  }

private:
  dalib::device_matrix<T> rows_;
  ::thrust::device_vector<T> weights_;
};

/// A gradient on the device that starts as the host's and is copied back.
template <class T>
class copied_gradient {
public:
  explicit copied_gradient(const dalib::matrix_view<T>& host) : host_(host) {
    if (wanted()) device_ = dalib::device_matrix<T>(host);
  }
  dalib::matrix_view<T, dalib::device_memory> view() {
    return wanted() ? dalib::view_of(device_) : dalib::matrix_view<T, dalib::device_memory>{};
  }
  void copy_back() const {
    if (wanted()) dalib::copy_to_host(dalib::exec::thrust{}, device_, host_);
  }

private:
  bool wanted() const { return host_.data || host_.rows > 0; }

  dalib::matrix_view<T> host_;
  dalib::device_matrix<T> device_;
};

} // namespace detail

/// A two-sample measure of host tensors that runs on the device. Execution policies are accepted and ignored.
template <class Measure>
struct measure_on_device {
  static constexpr const char* name = Measure::name;
  Measure inner;

  template <class ZS, class ZT>
  requires dalib::sample_like<ZS>
  auto operator()(const ZS& zs, const ZT& zt) const {
    using T = dalib::sample_value<ZS>;
    const detail::copied_sample<T> source(dalib::sample_of(zs)), target(dalib::sample_of(zt));
    return call(inner, source.get(), target.get());
  }
  template <class Exec, class ZS, class ZT>
  auto operator()(const Exec&, const ZS& zs, const ZT& zt) const {
    return (*this)(zs, zt);
  }
  template <class ZS, class ZT, class T>
  T value_and_gradient(const ZS& zs, const ZT& zt, const dalib::gradients<T>& out) const {
    const detail::copied_sample<T> source(dalib::sample_of(zs)), target(dalib::sample_of(zt));
    detail::copied_gradient<T> gs(out.source), gt(out.target);
    const dalib::gradients<T, dalib::device_memory> device_out{gs.view(), gt.view(), out.scale, out.mode};
    const T value = gradient_call(inner, source.get(), target.get(), device_out);
    gs.copy_back();
    gt.copy_back();
    return value;
  }
  template <class Exec, class ZS, class ZT, class T>
  T value_and_gradient(const Exec&, const ZS& zs, const ZT& zt, const dalib::gradients<T>& out) const {
    return value_and_gradient(zs, zt, out);
  }

private:
  /// Measures of tensors that take no samples get their rows.
  template <class M>
  static constexpr bool takes_samples = requires(const M& m) {
    m.estimator;
  }
  || requires(const M& m) { m.measure; };
  template <class M, class S>
  static auto call(const M& measure, const S& source, const S& target) {
    if constexpr (takes_samples<M>)
      return measure(source, target);
    else
      return measure(source.rows, target.rows);
  }
  template <class M, class S, class G>
  static auto gradient_call(const M& measure, const S& source, const S& target, const G& out) {
    if constexpr (takes_samples<M>)
      return measure.value_and_gradient(source, target, out);
    else
      return measure.value_and_gradient(source.rows, target.rows, out);
  }
};

/// The library's functions on device tensors, with host matrices as arguments.
struct on_device {
  template <class Measure>
  static measure_on_device<Measure> measure(const Measure& m) {
    return {m};
  }
  template <class Kernel, class M>
  static void kernel_matrix(const Kernel& kernel, const M& x, M& k) {
    const dalib::device_matrix rows(x);
    dalib::device_matrix result(k);
    dalib::kernel_matrix(dalib::exec::thrust{}, kernel, rows, result);
    k = result.to_host();
  }
  template <class Kernel, class M>
  static auto kernel_matrix_gradient(const Kernel& kernel, const M& x, const M& upstream, M& gradient) {
    const dalib::device_matrix rows(x), weights(upstream);
    dalib::device_matrix result(gradient);
    const auto sum = dalib::kernel_matrix_gradient(dalib::exec::thrust{}, kernel, rows, weights, result);
    gradient = result.to_host();
    return sum;
  }
  template <class Rule, class A, class B>
  static double squared_scale(const Rule& rule, const A& zs, const B& zt) {
    using T = dalib::sample_value<A>;
    const detail::copied_sample<T> source(dalib::sample_of(zs)), target(dalib::sample_of(zt));
    dalib::device_workspace scratch;
    const dalib::engine::joint_sample<T, dalib::device_memory> data{source.get(), target.get()};
    return dalib::engine::squared_scale_of(dalib::exec::thrust{}, rule, data, scratch);
  }
};

} // namespace conformance
