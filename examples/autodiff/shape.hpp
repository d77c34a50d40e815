#pragma once
#include <dalib/simd/transpose.hpp>

#include "parallel.hpp"
#include "variable.hpp"

namespace dalib::ad {

/// Stacks the rows: one batch from several. All must have the same columns and image size.
template <class Scalar>
variable<Scalar> concat_rows(const std::vector<variable<Scalar>>& parts) {
  if (parts.empty()) throw std::invalid_argument("concat_rows: nothing to stack");
  geometry shape = parts[0].shape();
  shape.images = 0;
  for (const auto& part : parts) {
    const geometry& other = part.shape();
    if (part.cols() != parts[0].cols() || other.height != shape.height || other.width != shape.width)
      throw std::invalid_argument("concat_rows: parts differ in columns or image size: " + std::to_string(parts[0].cols()) + " and " +
                                  std::to_string(part.cols()) + " columns");
    shape.images += other.images;
  }
  tensor<Scalar> result(shape.rows(), parts[0].cols());
  std::vector<index_t> starts;
  index_t start = 0;
  for (const auto& part : parts) {
    starts.push_back(start);
    result.row_block(start, part.rows()).view() = part.value();
    start += part.rows();
  }
  return make_result(std::move(result), shape, parts, [starts](const tensor<Scalar>& upstream, const auto& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].add_gradient(upstream.row_block(starts[i], inputs[i].rows()));
  });
}

/// Images [first, first + count) of the batch (rows, for features), sharing the elements.
template <class Scalar>
variable<Scalar> image_range(const variable<Scalar>& x, index_t first, index_t count) {
  geometry shape = x.shape();
  if (first < 0 || count < 0 || first + count > shape.images)
    throw std::invalid_argument("image_range: images " + std::to_string(first) + " to " + std::to_string(first + count) + " of " +
                                std::to_string(shape.images));
  const index_t pixels = shape.height * shape.width;
  shape.images = count;
  return make_result(x.storage().row_block(first * pixels, count * pixels), shape, {x},
                     [start = first * pixels](const tensor<Scalar>& upstream, const auto& inputs) {
                       inputs[0].add_gradient([&](map<Scalar> target, write mode) {
                         auto rows = target.middleRows(start, upstream.rows());
                         if (mode == write::accumulate) {
                           rows += upstream.view();
                           return;
                         }
                         target.topRows(start).setZero();
                         rows = upstream.view();
                         target.bottomRows(target.rows() - start - upstream.rows()).setZero();
                       });
                     });
}

/// Cuts a batch into batches of the given numbers of images. @throws std::invalid_argument if they do not add up
template <class Scalar>
std::vector<variable<Scalar>> split_rows(const variable<Scalar>& x, const std::vector<index_t>& images) {
  std::vector<variable<Scalar>> parts;
  index_t first = 0;
  for (const index_t count : images) {
    parts.push_back(image_range(x, first, count));
    first += count;
  }
  if (first != x.shape().images)
    throw std::invalid_argument("split_rows: parts have " + std::to_string(first) + " of " + std::to_string(x.shape().images) + " images");
  return parts;
}

/// Images to features in PyTorch's order: column (channel * height + y) * width + x. Weights of a following linear layer match.
template <class Scalar>
variable<Scalar> flatten(const variable<Scalar>& x) {
  const index_t pixels = x.shape().height * x.shape().width, channels = x.cols(), images = x.shape().images;
  tensor<Scalar> result(images, channels * pixels);
  const auto transpose_each = [](const Scalar* from, Scalar* to, index_t count, index_t rows, index_t cols) {
    parallel_blocks(count, rows_per_block(rows * cols), [&](index_t first, index_t last) {
      for (index_t i = first; i < last; ++i)
        transpose({from + i * rows * cols, rows, cols}, matrix_view<Scalar>(to + i * rows * cols, cols, rows));
    });
  };
  transpose_each(x.storage().data(), result.data(), images, pixels, channels);
  return make_result(std::move(result), {images, 1, 1}, {x}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    tensor<Scalar> gradient(images * pixels, channels);
    transpose_each(upstream.data(), gradient.data(), images, channels, pixels);
    inputs[0].add_gradient(std::move(gradient));
  });
}

/// Row-wise outer products, column c * F + f = g(c) * f(f): CDAN's multilinear map of F features and the predictions g.
template <class Scalar>
variable<Scalar> outer_rows(const variable<Scalar>& features, const variable<Scalar>& g) {
  if (features.rows() != g.rows())
    throw std::invalid_argument("outer_rows: " + std::to_string(features.rows()) + " and " + std::to_string(g.rows()) + " rows");
  const index_t rows = features.rows(), width = features.cols(), classes = g.cols();
  const tensor<Scalar> f = features.storage(), p = g.storage();
  tensor<Scalar> result(rows, classes * width);
  parallel_blocks(rows, rows_per_block(classes * width), [&](index_t first, index_t last) {
    for (index_t r = first; r < last; ++r)
      map<Scalar>(result.data() + r * classes * width, classes, width).noalias() = p.view().row(r).transpose() * f.view().row(r);
  });
  return make_result(std::move(result), features.shape(), {features, g}, [=](const tensor<Scalar>& upstream, const auto& inputs) {
    const bool to_f = inputs[0].requires_gradient(), to_g = inputs[1].requires_gradient();
    tensor<Scalar> df(to_f ? rows : 0, width), dg(to_g ? rows : 0, classes);
    parallel_blocks(rows, rows_per_block(classes * width), [&](index_t first, index_t last) {
      for (index_t r = first; r < last; ++r) {
        const const_map<Scalar> up(upstream.data() + r * classes * width, classes, width);
        if (to_f) df.view().row(r) = p.view().row(r).lazyProduct(up);
        if (to_g) dg.view().row(r) = f.view().row(r).lazyProduct(up.transpose());
      }
    });
    if (to_f) inputs[0].add_gradient(std::move(df));
    if (to_g) inputs[1].add_gradient(std::move(dg));
  });
}

} // namespace dalib::ad
