#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "../io/random.hpp"
#include "parallel.hpp"
#include "variable.hpp"

namespace dalib::ad {

/// Non-linearity fused into an operation.
enum class activation { none, relu };

template <class Scalar>
using array_map = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

/// Elements [begin, end) as an Eigen array.
template <class Scalar>
array_map<Scalar> elements(const tensor<Scalar>& x, index_t begin, index_t end) {
  return {x.data() + begin, end - begin};
}

/// `x` itself if nobody else holds its elements, otherwise a copy that may be overwritten.
template <class Scalar>
tensor<Scalar> writable(tensor<Scalar> x) {
  if (x.unique()) return x;
  tensor<Scalar> copy(x.rows(), x.cols());
  parallel_blocks(x.size(), elements_per_block, [&](index_t b, index_t e) { elements(copy, b, e) = elements(x, b, e); });
  return copy;
}

/// The upstream gradient before a ReLU with the given result: 0 where the result is 0.
template <class Scalar>
tensor<Scalar> before_relu(tensor<Scalar> upstream, const tensor<Scalar>& result) {
  tensor<Scalar> gradient = writable(std::move(upstream));
  parallel_blocks(gradient.size(), elements_per_block, [&](index_t b, index_t e) {
    elements(gradient, b, e) = (elements(result, b, e) > Scalar(0)).select(elements(gradient, b, e), Scalar(0));
  });
  return gradient;
}

namespace detail {
template <class Scalar>
void require_same_size(const char* function, const variable<Scalar>& a, const variable<Scalar>& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols())
    throw std::invalid_argument(std::string(function) + ": sizes differ: " + std::to_string(a.rows()) + " x " + std::to_string(a.cols()) +
                                " and " + std::to_string(b.rows()) + " x " + std::to_string(b.cols()));
}

/// A new tensor of x's size with the elements f(begin, end) returns as array expressions.
template <class Scalar, class Function>
tensor<Scalar> map_elements(const tensor<Scalar>& like, const Function& f) {
  tensor<Scalar> result(like.rows(), like.cols());
  parallel_blocks(result.size(), elements_per_block, [&](index_t b, index_t e) { elements(result, b, e) = f(b, e); });
  return result;
}
} // namespace detail

/// max(x, 0); the gradient at 0 is 0.
template <class Scalar>
variable<Scalar> relu(const variable<Scalar>& x) {
  const auto& in = x.storage();
  tensor<Scalar> result = detail::map_elements(in, [&](index_t b, index_t e) { return elements(in, b, e).max(Scalar(0)); });
  return make_result(result, x.shape(), {x}, [result](tensor<Scalar> upstream, const auto& inputs) {
    inputs[0].add_gradient(before_relu(std::move(upstream), result));
  });
}

/// factor * x
template <class Scalar>
variable<Scalar> scale(const variable<Scalar>& x, Scalar factor) {
  const auto& in = x.storage();
  tensor<Scalar> result = detail::map_elements(in, [&](index_t b, index_t e) { return factor * elements(in, b, e); });
  return make_result(std::move(result), x.shape(), {x}, [factor](tensor<Scalar> upstream, const auto& inputs) {
    tensor<Scalar> gradient = writable(std::move(upstream));
    gradient.view() *= factor;
    inputs[0].add_gradient(std::move(gradient));
  });
}

/// x forward (no copy), -lambda times the gradient backward.
template <class Scalar>
variable<Scalar> gradient_reversal(const variable<Scalar>& x, Scalar lambda) {
  return make_result(x.storage(), x.shape(), {x}, [lambda](tensor<Scalar> upstream, const auto& inputs) {
    tensor<Scalar> gradient = writable(std::move(upstream));
    gradient.view() *= -lambda;
    inputs[0].add_gradient(std::move(gradient));
  });
}

/// a + b, then the activation
template <class Scalar>
variable<Scalar> add(const variable<Scalar>& a, const variable<Scalar>& b, activation act = activation::none) {
  detail::require_same_size("add", a, b);
  const auto &left = a.storage(), &right = b.storage();
  const bool clip = act == activation::relu;
  tensor<Scalar> result(a.rows(), a.cols());
  parallel_blocks(result.size(), elements_per_block, [&](index_t begin, index_t end) {
    auto out = elements(result, begin, end);
    out = elements(left, begin, end) + elements(right, begin, end);
    if (clip) out = out.max(Scalar(0));
  });
  const tensor<Scalar> kept = clip ? result : tensor<Scalar>();
  return make_result(std::move(result), a.shape(), {a, b}, [kept](tensor<Scalar> upstream, const auto& inputs) {
    if (!kept.empty()) upstream = before_relu(std::move(upstream), kept);
    inputs[0].add_gradient(upstream);
    inputs[1].add_gradient(std::move(upstream));
  });
}

/// a - b
template <class Scalar>
variable<Scalar> subtract(const variable<Scalar>& a, const variable<Scalar>& b) {
  return add(a, scale(b, Scalar(-1)));
}

/// Element-wise product.
template <class Scalar>
variable<Scalar> multiply(const variable<Scalar>& a, const variable<Scalar>& b) {
  detail::require_same_size("multiply", a, b);
  const tensor<Scalar> left = a.storage(), right = b.storage();
  tensor<Scalar> result = detail::map_elements(left, [&](index_t s, index_t e) { return elements(left, s, e) * elements(right, s, e); });
  return make_result(std::move(result), a.shape(), {a, b}, [left, right](const tensor<Scalar>& upstream, const auto& inputs) {
    const auto times = [&](const tensor<Scalar>& other) {
      return detail::map_elements(upstream, [&](index_t s, index_t e) { return elements(upstream, s, e) * elements(other, s, e); });
    };
    if (inputs[0].requires_gradient()) inputs[0].add_gradient(times(right));
    if (inputs[1].requires_gradient()) inputs[1].add_gradient(times(left));
  });
}

/// The sum of all elements, 1 x 1.
template <class Scalar>
variable<Scalar> sum(const variable<Scalar>& x) {
  tensor<Scalar> result(1, 1);
  *result.data() = x.value().sum();
  return make_result(std::move(result), {1, 1, 1}, {x}, [](const tensor<Scalar>& upstream, const auto& inputs) {
    inputs[0].add_expression(matrix<Scalar>::Constant(inputs[0].rows(), inputs[0].cols(), *upstream.data()));
  });
}

/// The mean of all elements, 1 x 1.
template <class Scalar>
variable<Scalar> mean(const variable<Scalar>& x) {
  return scale(sum(x), Scalar(1) / static_cast<Scalar>(x.rows() * x.cols()));
}

namespace detail {
/// Elements [first, last) of a tensor are elements first + shift ... of the whole batch's.
struct element_range {
  index_t first, last, shift;
};

/// Where a variable's elements are in the whole batch.
template <class Scalar>
std::vector<element_range> places_in_batch(const variable<Scalar>& x) {
  if (!x.share()) return {{0, x.rows() * x.cols(), 0}};
  const index_t image = x.shape().height * x.shape().width * x.cols();
  std::vector<element_range> places;
  index_t done = 0;
  for (const auto& [first, count] : x.share()->of_rank(distributed::ranks::all().rank())) {
    places.push_back({done * image, (done + count) * image, (first - done) * image});
    done += count;
  }
  return places;
}
} // namespace detail

/// Inverted dropout: zero with probability `rate`, otherwise x / (1 - rate). Which elements are dropped is a function of `key`
/// and the position in the whole batch alone, so the mask is not stored. @throws std::invalid_argument unless 0 <= rate < 1
template <class Scalar>
variable<Scalar> dropout(const variable<Scalar>& x, double rate, std::uint64_t key) {
  if (!(rate >= 0 && rate < 1)) throw std::invalid_argument("dropout: the rate must be in [0, 1)");
  const auto threshold = static_cast<std::uint32_t>(std::ldexp(rate, 32));
  const auto factor = static_cast<Scalar>(1 / (1 - rate));
  const auto masked = [threshold, factor, base = io::splitmix64(key), places = detail::places_in_batch(x)](const tensor<Scalar>& from,
                                                                                                           const tensor<Scalar>& to) {
    parallel_blocks(from.size(), elements_per_block, [&](index_t b, index_t e) {
      for (const detail::element_range& place : places) {
        const std::uint64_t start = base + static_cast<std::uint64_t>(place.shift);
        for (index_t i = std::max(b, place.first); i < std::min(e, place.last); ++i) {
          const auto bits = static_cast<std::uint32_t>(io::splitmix64(start + static_cast<std::uint64_t>(i)) >> 32);
          to.data()[i] = bits < threshold ? Scalar(0) : factor * from.data()[i];
        }
      }
    });
  };
  tensor<Scalar> result(x.rows(), x.cols());
  masked(x.storage(), result);
  return make_result(std::move(result), x.shape(), {x}, [masked](tensor<Scalar> upstream, const auto& inputs) {
    tensor<Scalar> gradient = writable(std::move(upstream));
    masked(gradient, gradient);
    inputs[0].add_gradient(std::move(gradient));
  });
}

} // namespace dalib::ad
