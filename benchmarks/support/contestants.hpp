#pragma once

#include "inputs.hpp"
#include "peak.hpp"
#include "task.hpp"

#include <dalib/dalib.hpp>
#include <dalib/measure/sinkhorn_divergence.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dalib::benchmarks {

/// A task that is ready to run: its inputs and outputs exist, `run` computes it once and returns its value.
struct contestant {
  std::function<double()> run;
  std::vector<std::span<const std::byte>> outputs; ///< what `run` wrote, in the order that the peers know
  std::shared_ptr<workspace> scratch = std::make_shared<workspace>();
  double flops = 0;                     ///< of one run, where it is a plain matrix product
  std::function<void()> forget = [] {}; ///< gives memory that is kept between runs back, besides `scratch`
};

namespace detail {

/// An output tensor that belongs to the contestant. Written once, so that its pages exist before memory is measured.
template <class T>
std::shared_ptr<matrix<T>> make_output(contestant& owner, Eigen::Index rows, Eigen::Index columns) {
  auto output = std::make_shared<matrix<T>>(matrix<T>::Ones(rows, columns));
  owner.outputs.push_back(std::as_bytes(std::span(output->data(), static_cast<std::size_t>(output->size()))));
  return output;
}

template <class T>
std::shared_ptr<const matrix<T>> make_input(Eigen::Index rows, Eigen::Index columns, const input_rule& rule) {
  return std::make_shared<const matrix<T>>(draw<T>(rows, columns, rule));
}

/// A two-sample measure of rows (n_s, columns) and (n_t, columns).
template <class T, class Measure>
contestant two_sample(const Measure& measure, const task_shape& shape, Eigen::Index columns, double spread, double shift) {
  contestant result;
  const auto input = [&](Eigen::Index rows, const input_rule& rule, bool target) {
    if (shape.float_rows)
      return std::make_shared<const matrix<T>>(arranged(shape.data, draw<float>(rows, columns, rule), target).template cast<T>());
    return std::make_shared<const matrix<T>>(arranged(shape.data, draw<T>(rows, columns, rule), target));
  };
  auto zs = input(shape.n_s, {1, spread, 0}, false), zt = input(shape.n_t, {2, spread, shift}, true);
  if (!shape.gradient) {
    result.run = [measure, zs, zt, scratch = result.scratch] {
      if constexpr (requires { measure(exec::openmp{}, *zs, *zt, *scratch); })
        return static_cast<double>(measure(exec::openmp{}, *zs, *zt, *scratch));
      else
        return static_cast<double>(measure(*zs, *zt));
    };
    return result;
  }
  auto gs = make_output<T>(result, shape.n_s, columns), gt = make_output<T>(result, shape.n_t, columns);
  result.run = [measure, zs, zt, gs, gt, scratch = result.scratch] {
    const gradients<T> out{*gs, *gt};
    if constexpr (requires { measure.value_and_gradient(exec::openmp{}, *zs, *zt, out, *scratch); })
      return static_cast<double>(measure.value_and_gradient(exec::openmp{}, *zs, *zt, out, *scratch));
    else
      return static_cast<double>(measure.value_and_gradient(exec::openmp{}, *zs, *zt, out));
  };
  return result;
}

template <class T>
contestant joint(const task_shape& shape) {
  contestant result;
  const auto measure = joint_mmd{jan_kernels(), estimator::unbiased{}};
  auto fs = make_input<T>(shape.n_s, shape.features, {1}), ft = make_input<T>(shape.n_t, shape.features, {2, 1, 0.25});
  auto ps = make_input<T>(shape.n_s, shape.classes, {3, 0.2, 0}), pt = make_input<T>(shape.n_t, shape.classes, {4, 0.2, 0.1});
  if (!shape.gradient) {
    result.run = [measure, fs, ft, ps, pt, scratch = result.scratch] {
      return static_cast<double>(measure(exec::openmp{}, layers(*fs, *ps), layers(*ft, *pt), *scratch));
    };
    return result;
  }
  auto gfs = make_output<T>(result, shape.n_s, shape.features), gft = make_output<T>(result, shape.n_t, shape.features);
  auto gps = make_output<T>(result, shape.n_s, shape.classes), gpt = make_output<T>(result, shape.n_t, shape.classes);
  result.run = [=, scratch = result.scratch] {
    const layer_gradients out{layers(*gfs, *gps), layers(*gft, *gpt)};
    return static_cast<double>(measure.value_and_gradient(exec::openmp{}, layers(*fs, *ps), layers(*ft, *pt), out, *scratch));
  };
  return result;
}

template <class T>
contestant margin(const task_shape& shape) {
  contestant result;
  const margin_disparity measure{4};
  auto ys = make_input<T>(shape.n_s, shape.classes, {1, 2, 0}), as = make_input<T>(shape.n_s, shape.classes, {2, 2, 0});
  auto yt = make_input<T>(shape.n_t, shape.classes, {3, 2, 0}), at = make_input<T>(shape.n_t, shape.classes, {4, 2, 0});
  if (!shape.gradient) {
    result.run = [=] { return static_cast<double>(measure(exec::openmp{}, *ys, *as, *yt, *at)); };
    return result;
  }
  auto gs = make_output<T>(result, shape.n_s, shape.classes), gt = make_output<T>(result, shape.n_t, shape.classes);
  result.run = [=] { return static_cast<double>(measure.value_and_gradient(exec::openmp{}, *ys, *as, *yt, *at, gradients<T>{*gs, *gt})); };
  return result;
}

/// CDAN's map: the conditioned features, and the pull-back of a gradient that stands for the discriminator's.
template <class T>
contestant conditioned(const task_shape& shape) {
  contestant result;
  const multilinear_map map;
  auto f = make_input<T>(shape.n_s, shape.features, {1}), g = make_input<T>(shape.n_s, shape.classes, {2, 2, 0});
  auto h = make_output<T>(result, shape.n_s, shape.features * shape.classes);
  if (!shape.gradient) {
    result.run = [=] { return map(exec::openmp{}, *f, *g, *h), 0.0; };
    return result;
  }
  auto upstream = make_input<T>(shape.n_s, shape.features * shape.classes, {3});
  auto gf = make_output<T>(result, shape.n_s, shape.features), gg = make_output<T>(result, shape.n_s, shape.classes);
  result.run = [=] {
    map(exec::openmp{}, *f, *g, *h);
    map.pull(exec::openmp{}, *f, *g, *upstream, gradients<T>{*gf, *gg});
    return 0.0;
  };
  return result;
}

/// The yardstick of the linear-time estimator: both inputs are copied to the outputs.
template <class T>
contestant memory_copy(const task_shape& shape) {
  contestant result;
  auto zs = make_input<T>(shape.n_s, shape.features, {1}), zt = make_input<T>(shape.n_t, shape.features, {2});
  auto to_s = make_output<T>(result, shape.n_s, shape.features), to_t = make_output<T>(result, shape.n_t, shape.features);
  result.run = [=] {
    copy_in_parallel(*zs, *to_s);
    copy_in_parallel(*zt, *to_t);
    return 0.0;
  };
  return result;
}

template <class Product>
contestant matrix_product() {
  contestant result;
  auto product = std::make_shared<Product>();
  result.flops = product->flops();
  result.run = [product] { return product->run(), 0.0; };
  return result;
}

} // namespace detail

/// Prepares the task that a request names. The measures' settings are those of peers/torch_mmd.py and peers/torch_rowwise.py.
/// @throws std::invalid_argument for an unknown measure.
template <class T>
contestant make_contestant(const request& asked) {
  const std::string& measure = asked.text("measure");
  if (measure == "eigen_product") return detail::matrix_product<eigen_product<T>>();
  if (measure == "cached_product") return detail::matrix_product<cached_product<T>>();
  const task_shape shape(asked);
  const auto ladder = kernel::gaussian_ladder(0.125, 5);
  const double width = std::sqrt(static_cast<double>(shape.features));
  if (measure == "mmd") return detail::two_sample<T>(mmd{ladder, estimator::unbiased{}}, shape, shape.features, 1, 0.25);
  if (measure == "mmd_gaussian")
    return detail::two_sample<T>(mmd{kernel::gaussian{bandwidth::fixed{width}}, estimator::biased{}}, shape, shape.features, 1, 0.25);
  if (measure == "sinkhorn") // as converged as float rows need
    return detail::two_sample<T>(sinkhorn_divergence{{.blur = width / 4, .tolerance = 1e-5}}, shape, shape.features, 1, 0.25);
  if (measure == "linear_time") return detail::two_sample<T>(mmd{ladder, estimator::linear_time{}}, shape, shape.features, 1, 0.25);
  if (measure == "copy") return detail::memory_copy<T>(shape);
  if (measure == "joint_mmd") return detail::joint<T>(shape);
  if (measure == "domain_adversarial") return detail::two_sample<T>(domain_adversarial<>{}, shape, 1, 2, 0);
  if (measure == "classifier_discrepancy") return detail::two_sample<T>(classifier_discrepancy{}, shape, shape.classes, 2, 0);
  if (measure == "margin_disparity") return detail::margin<T>(shape);
  if (measure == "multilinear_map") return detail::conditioned<T>(shape);
  throw std::invalid_argument("unknown measure " + measure);
}

} // namespace dalib::benchmarks
