#pragma once
#include <cstdint>
#include <span>

#include "parallel.hpp"
#include "variable.hpp"

namespace dalib::ad {
namespace detail {

/// log softmax of every row: x - max - log sum exp(x - max), finite for any finite logits.
template <class Scalar>
tensor<Scalar> log_softmax_rows(const tensor<Scalar>& logits) {
  tensor<Scalar> result(logits.rows(), logits.cols());
  parallel_blocks(logits.rows(), rows_per_block(logits.cols()), [&](index_t first, index_t last) {
    for (index_t r = first; r < last; ++r) {
      const auto in = logits.view().row(r).array();
      auto out = result.view().row(r).array();
      out = in - in.maxCoeff();
      const Scalar log_sum = std::log(out.exp().sum());
      out -= log_sum;
    }
  });
  return result;
}
} // namespace detail

/// Softmax of every row.
template <class Scalar>
variable<Scalar> softmax(const variable<Scalar>& logits) {
  tensor<Scalar> result = detail::log_softmax_rows(logits.storage());
  result.view() = result.view().array().exp();
  return make_result(result, logits.shape(), {logits}, [result](const tensor<Scalar>& upstream, const auto& inputs) {
    inputs[0].add_gradient([&](map<Scalar> target, write mode) {
      if (mode == write::overwrite) target.setZero();
      for (index_t r = 0; r < target.rows(); ++r) {
        const auto p = result.view().row(r).array();
        const auto g = upstream.view().row(r).array();
        const Scalar mean = (p * g).sum();
        target.row(r).array() += p * (g - mean);
      }
    });
  });
}

/// Logarithm of the softmax of every row, without forming the softmax.
template <class Scalar>
variable<Scalar> log_softmax(const variable<Scalar>& logits) {
  tensor<Scalar> result = detail::log_softmax_rows(logits.storage());
  return make_result(result, logits.shape(), {logits}, [result](const tensor<Scalar>& upstream, const auto& inputs) {
    inputs[0].add_gradient([&](map<Scalar> target, write mode) {
      if (mode == write::overwrite) target.setZero();
      for (index_t r = 0; r < target.rows(); ++r) {
        const auto g = upstream.view().row(r).array();
        const Scalar total = g.sum();
        target.row(r).array() += g - result.view().row(r).array().exp() * total;
      }
    });
  });
}

/// Mean over the rows of -log softmax(logits)[label]; 1 x 1.
/// @throws std::invalid_argument if there is not one label in [0, classes) per row
template <class Scalar>
variable<Scalar> cross_entropy(const variable<Scalar>& logits, std::span<const std::int64_t> labels) {
  const index_t rows = logits.rows(), classes = logits.cols();
  if (static_cast<index_t>(labels.size()) != rows || rows == 0)
    throw std::invalid_argument("cross_entropy: " + std::to_string(labels.size()) + " labels for " + std::to_string(rows) + " rows");
  for (const std::int64_t label : labels)
    if (label < 0 || label >= classes)
      throw std::invalid_argument("cross_entropy: label " + std::to_string(label) + " with " + std::to_string(classes) + " classes");

  const tensor<Scalar> logs = detail::log_softmax_rows(logits.storage());
  tensor<Scalar> value(1, 1);
  Scalar total(0);
  for (index_t r = 0; r < rows; ++r) total -= logs.view()(r, labels[static_cast<std::size_t>(r)]);
  const Scalar share = Scalar(1) / static_cast<Scalar>(rows);
  *value.data() = total * share;
  return make_result(
      std::move(value), {1, 1, 1}, {logits},
      [logs, share, kept = std::vector<std::int64_t>(labels.begin(), labels.end())](const tensor<Scalar>& upstream, const auto& inputs) {
        const Scalar factor = *upstream.data() * share;
        inputs[0].add_gradient([&](map<Scalar> target, write mode) {
          if (mode == write::overwrite) target.setZero();
          target.array() += factor * logs.view().array().exp();
          for (index_t r = 0; r < target.rows(); ++r) target(r, kept[static_cast<std::size_t>(r)]) -= factor;
        });
      });
}

} // namespace dalib::ad
