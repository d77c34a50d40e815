#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "parallel.hpp"
#include "variable.hpp"

namespace dalib::ad {
namespace detail {

/// log softmax of every row: x - max - log sum exp(x - max), finite for any finite logits. The largest one's own 1 goes through log1p, so
/// that its logarithm keeps its digits where it is almost sure.
template <class Scalar>
tensor<Scalar> log_softmax_rows(const tensor<Scalar>& logits) {
  tensor<Scalar> result(logits.rows(), logits.cols());
  parallel_blocks(logits.rows(), rows_per_block(logits.cols()), [&](index_t first, index_t last) {
    for (index_t r = first; r < last; ++r) {
      const auto in = logits.view().row(r).array();
      auto out = result.view().row(r).array();
      Eigen::Index top = 0;
      out = in - in.maxCoeff(&top);
      out(top) = -std::numeric_limits<Scalar>::infinity();
      const Scalar others = out.exp().sum();
      out(top) = 0;
      out -= std::log1p(others);
    }
  });
  return result;
}

/// Softmax of every row, each share with all its digits: the rounding of x - max, which the exponential would multiply, is put back.
template <class Scalar>
tensor<Scalar> softmax_rows(const tensor<Scalar>& logits) {
  tensor<Scalar> result(logits.rows(), logits.cols());
  parallel_blocks(logits.rows(), rows_per_block(logits.cols()), [&](index_t first, index_t last) {
    for (index_t r = first; r < last; ++r) {
      const auto in = logits.view().row(r).array();
      auto out = result.view().row(r).array();
      const Scalar largest = in.maxCoeff();
      for (index_t c = 0; c < logits.cols(); ++c) {
        const Scalar high = in(c) - largest, back = high - in(c), low = (in(c) - (high - back)) - (largest + back);
        out(c) = std::isfinite(low) ? low : Scalar(0);
      }
      out = (in - largest).exp() * (1 + out);
      out /= out.sum();
    }
  });
  return result;
}
} // namespace detail

/// Softmax of every row. Gradients are taken relative to that of the largest share: nothing cancels where it is near 1.
template <class Scalar>
variable<Scalar> softmax(const variable<Scalar>& logits) {
  tensor<Scalar> result = detail::softmax_rows(logits.storage());
  return make_result(result, logits.shape(), {logits}, [result](const tensor<Scalar>& upstream, const auto& inputs) {
    inputs[0].add_gradient([&](map<Scalar> target, write mode) {
      if (mode == write::overwrite) target.setZero();
      for (index_t r = 0; r < target.rows(); ++r) {
        const auto p = result.view().row(r).array();
        const auto g = upstream.view().row(r).array();
        Eigen::Index top = 0;
        p.maxCoeff(&top);
        const Scalar mean = (p * (g - g(top))).sum();
        target.row(r).array() += p * ((g - g(top)) - mean);
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
      [p = detail::softmax_rows(logits.storage()), share, kept = std::vector<std::int64_t>(labels.begin(), labels.end())](const tensor<Scalar>& upstream, const auto& inputs) {
        const Scalar factor = *upstream.data() * share;
        inputs[0].add_gradient([&](map<Scalar> target, write mode) {
          if (mode == write::overwrite) target.setZero();
          for (index_t r = 0; r < target.rows(); ++r) {
            const index_t label = kept[static_cast<std::size_t>(r)];
            const auto shares = p.view().row(r);
            const Scalar others = shares.head(label).sum() + shares.tail(target.cols() - label - 1).sum(); // 1 - p, which would cancel
            const Scalar at_label = target(r, label) - factor * others;
            target.row(r) += factor * shares;
            target(r, label) = at_label;
          }
        });
      });
}

} // namespace dalib::ad
