#pragma once
#include <span>
#include <vector>

#include "columns.hpp"
#include "elementwise.hpp"

namespace dalib::ad {

/// Running statistics of batch normalisation, 1 x channels each. Copies share them.
template <class Scalar>
struct batch_statistics {
  tensor<Scalar> mean;
  tensor<Scalar> variance;
  double momentum = 0.1;
  double epsilon = 1e-5;
};

namespace detail {
/// Mean and mean square deviation of every column, in one pass over memory: each block of rows takes its own mean and squares
/// while it is in cache, and blocks are merged in order (Chan, Golub, LeVeque). No cancellation for large means.
template <class Scalar>
std::pair<tensor<Scalar>, tensor<Scalar>> column_moments(const tensor<Scalar>& x) {
  const index_t rows = x.rows(), cols = x.cols();
  const index_t block = std::max<index_t>(1, 4096 / cols); // fits the first-level cache
  const index_t group = std::max(block, (rows + most_row_blocks - 1) / most_row_blocks);
  const index_t groups = (rows + group - 1) / group;
  const auto means = tensor<Scalar>::zeros(groups, cols), squares = tensor<Scalar>::zeros(groups, cols);
  const auto merge = [](auto mean, auto square, index_t n, const auto& other_mean, const auto& other_square, index_t m) {
    const auto share = static_cast<Scalar>(m) / static_cast<Scalar>(n + m);
    square += other_square + (other_mean - mean).square() * (static_cast<Scalar>(n) * share);
    mean += (other_mean - mean) * share;
  };
  parallel_for(groups, [&](index_t g) {
    const tensor<Scalar> scratch(2, cols);
    row_map<Scalar> mean = as_row(scratch, 0), square = as_row(scratch, 1);
    const index_t end = std::min(rows, (g + 1) * group);
    for (index_t first = g * group; first < end; first += block) {
      const index_t count = std::min(block, end - first);
      mean.setZero();
      square.setZero();
      for (index_t r = first; r < first + count; ++r) mean += as_row(x, r);
      mean /= static_cast<Scalar>(count);
      for (index_t r = first; r < first + count; ++r) square += (as_row(x, r) - mean).square();
      merge(as_row(means, g), as_row(squares, g), first - g * group, mean, square, count);
    }
  });
  for (index_t g = 1; g < groups; ++g)
    merge(as_row(means), as_row(squares), g * group, as_row(means, g), as_row(squares, g), std::min(group, rows - g * group));
  as_row(squares) /= static_cast<Scalar>(rows);
  return {means.row_block(0, 1), squares.row_block(0, 1)};
}

/// The moments of all ranks' rows in place of those of a rank's own: rows[r] of rank r, merged in the ranks' order.
template <class Scalar>
void merge_over_ranks(const tensor<Scalar>& mean, const tensor<Scalar>& variance, const std::vector<index_t>& rows) {
  const auto& ranks = distributed::ranks::all();
  const index_t cols = mean.cols();
  const tensor<Scalar> own(2, cols), all(2 * ranks.size(), cols);
  as_row(own, 0) = as_row(mean);
  as_row(own, 1) = as_row(variance);
  const std::vector<std::size_t> bytes(rows.size(), static_cast<std::size_t>(own.size()) * sizeof(Scalar));
  ranks.gather(own.data(), all.data(), bytes);
  const auto rows_of = [&](int r) { return static_cast<Scalar>(rows[static_cast<std::size_t>(r)]); };
  Scalar merged = rows_of(0);
  as_row(mean) = as_row(all, 0);
  as_row(variance) = as_row(all, 1) * merged; // squares, while they are merged
  for (int r = 1; r < ranks.size(); ++r) {
    const auto difference = (as_row(all, 2 * r) - as_row(mean)).eval();
    const Scalar share = rows_of(r) / (merged + rows_of(r));
    as_row(variance) += as_row(all, 2 * r + 1) * rows_of(r) + difference.square() * (merged * share);
    as_row(mean) += difference * share;
    merged += rows_of(r);
  }
  as_row(variance) /= merged;
}

/// The rows of the whole batch on each rank.
template <class Scalar>
std::vector<index_t> rows_of_ranks(const variable<Scalar>& x) {
  std::vector<index_t> rows;
  for (int r = 0; r < distributed::ranks::all().size(); ++r) rows.push_back(x.share()->images(r) * x.shape().height * x.shape().width);
  return rows;
}

template <class Scalar>
void check_channels(const variable<Scalar>& x, const variable<Scalar>& scale, const variable<Scalar>& shift) {
  if (scale.rows() != 1 || shift.rows() != 1 || scale.cols() != x.cols() || shift.cols() != x.cols())
    throw std::invalid_argument("batch_norm: " + std::to_string(x.cols()) + " channels, but scale has " + std::to_string(scale.cols()) +
                                " and shift " + std::to_string(shift.cols()));
}
} // namespace detail

/// (x - mean) / sqrt(variance + epsilon) * scale + shift per column, + residual if given, then the activation.
///
/// Columns are channels, rows are the samples or all pixels of the batch. In training mode mean and (biased) variance are
/// the batch's, and the running statistics move by `momentum` towards them (with the unbiased variance, as in PyTorch).
/// Otherwise the running statistics are used and left alone (evaluation, frozen layers). Of a rank's share the statistics are those of the
/// whole batch, unless the ranks say otherwise, and the gradient goes through them.
/// @throws std::invalid_argument if the sizes do not fit, or for a single row in training mode
template <class Scalar>
variable<Scalar> batch_norm(const variable<Scalar>& x, const variable<Scalar>& scale, const variable<Scalar>& shift,
                            const batch_statistics<Scalar>& running, bool training, activation act = activation::none,
                            const variable<Scalar>& residual = {}) {
  using detail::as_row;
  detail::check_channels(x, scale, shift);
  if (residual.valid()) detail::require_same_size("batch_norm", x, residual);
  const index_t rows = x.rows(), cols = x.cols();
  const bool over_ranks = training && x.share() && !distributed::ranks::all().local_batch_norm;
  const index_t counted = over_ranks ? x.share()->total() * x.shape().height * x.shape().width : rows; // what the statistics are of
  if (training && counted < 2) throw std::invalid_argument("batch_norm: training needs more than one row, got " + std::to_string(counted));

  tensor<Scalar> mean = running.mean, variance = running.variance;
  if (training) {
    std::tie(mean, variance) = detail::column_moments(x.storage());
    if (over_ranks) detail::merge_over_ranks(mean, variance, detail::rows_of_ranks(x));
    const auto momentum = static_cast<Scalar>(running.momentum);
    const auto unbiased = static_cast<Scalar>(counted) / static_cast<Scalar>(counted - 1);
    as_row(running.mean) += momentum * (as_row(mean) - as_row(running.mean));
    as_row(running.variance) += momentum * (unbiased * as_row(variance) - as_row(running.variance));
  } else { // later training steps must not change what backward() sees
    mean = tensor<Scalar>(1, cols);
    mean.view() = running.mean.view();
  }
  tensor<Scalar> inverse(1, cols); // 1 / standard deviation
  as_row(inverse) = (as_row(variance) + static_cast<Scalar>(running.epsilon)).sqrt().inverse();
  tensor<Scalar> slope(2, cols); // x * slope + offset
  as_row(slope, 0) = as_row(scale.storage()) * as_row(inverse);
  as_row(slope, 1) = as_row(shift.storage()) - as_row(mean) * as_row(slope, 0);

  tensor<Scalar> result(rows, cols);
  const bool clip = act == activation::relu;
  parallel_blocks(rows, rows_per_block(cols), [&](index_t first, index_t last) {
    for (index_t r = first; r < last; ++r) {
      auto out = as_row(result, r);
      out = as_row(x.storage(), r) * as_row(slope, 0) + as_row(slope, 1);
      if (residual.valid()) out += as_row(residual.storage(), r);
      if (clip) out = out.max(Scalar(0));
    }
  });

  std::vector<variable<Scalar>> inputs{x, scale, shift};
  if (residual.valid()) inputs.push_back(residual);
  const tensor<Scalar> kept = clip ? result : tensor<Scalar>();
  return make_result(std::move(result), x.shape(), std::move(inputs),
                     [=, source = x.storage(), factors = scale.storage()](tensor<Scalar> upstream, const auto& below) {
                       if (!kept.empty()) upstream = before_relu(std::move(upstream), kept);
                       // Row 0: sum of the gradient; row 1: sum of gradient * normalised x.
                       const tensor<Scalar> sums = sum_over_rows<Scalar>(rows, 2 * cols, [&](index_t r, auto& sum) {
                         sum.head(cols) += as_row(upstream, r);
                         sum.tail(cols) += as_row(upstream, r) * (as_row(source, r) - as_row(mean)) * as_row(inverse);
                       });
                       const tensor<Scalar> both = sums.reshaped(2, cols);
                       below[1].add_expression(both.view().row(1));
                       below[2].add_expression(both.view().row(0));
                       if (below[0].requires_gradient()) {
                         // x gradient = a * upstream + b * x + c per column; b = c = 0 where mean and variance are constants.
                         const auto factor = tensor<Scalar>::zeros(3, cols);
                         as_row(factor, 0) = as_row(factors) * as_row(inverse);
                         if (training) {
                           if (over_ranks) // behind the parameters' gradients, which are this rank's part
                             distributed::ranks::all().sum(std::span<Scalar>(both.data(), static_cast<std::size_t>(both.size())));
                           const Scalar share = Scalar(1) / static_cast<Scalar>(counted);
                           as_row(factor, 1) = -share * as_row(factor, 0) * as_row(inverse) * as_row(both, 1);
                           as_row(factor, 2) = -share * as_row(factor, 0) * as_row(both, 0) - as_row(factor, 1) * as_row(mean);
                         }
                         tensor<Scalar> gradient =
                             below.size() > 3 || !upstream.unique() ? tensor<Scalar>(rows, cols) : upstream.row_block(0, rows);
                         parallel_blocks(rows, rows_per_block(cols), [&](index_t first, index_t last) {
                           for (index_t r = first; r < last; ++r)
                             as_row(gradient, r) =
                                 as_row(factor, 0) * as_row(upstream, r) + as_row(factor, 1) * as_row(source, r) + as_row(factor, 2);
                         });
                         if (below.size() <= 3) upstream = {}; // leaves `gradient` the only owner
                         below[0].add_gradient(std::move(gradient));
                       }
                       if (below.size() > 3) below[3].add_gradient(std::move(upstream));
                     });
}

} // namespace dalib::ad
