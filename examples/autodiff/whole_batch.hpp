#pragma once
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "variable.hpp"

/// From the rows of a rank to those of all, and back.
///
/// Networks work on shares, losses on whole batches, which every rank computes alike. A gradient of a whole batch's rows is the same on all
/// ranks, one of a share's rows is the true one of these rows, and a parameter's is a part of the sum over the ranks.
namespace dalib::ad {
namespace detail {
/// All ranks' rows in the whole batch's order, from those of this one.
template <class Scalar>
tensor<Scalar> gathered(const tensor<Scalar>& own, const row_share& share, index_t pixels) {
  const auto& ranks = distributed::ranks::all();
  const index_t cols = own.cols(), row = pixels * cols;
  std::vector<std::size_t> bytes;
  for (int r = 0; r < ranks.size(); ++r) bytes.push_back(static_cast<std::size_t>(share.images(r) * row) * sizeof(Scalar));
  tensor<Scalar> by_rank(share.total() * pixels, cols);
  ranks.gather(own.data(), by_rank.data(), bytes);
  if (share.blocks.size() == 1) return by_rank;
  tensor<Scalar> result(by_rank.rows(), cols);
  const Scalar* from = by_rank.data();
  for (int r = 0; r < ranks.size(); ++r)
    for (const auto& [first, count] : share.of_rank(r)) {
      std::copy(from, from + count * row, result.data() + first * row);
      from += count * row;
    }
  return result;
}

/// This rank's rows of the whole batch, one part behind the other.
template <class Scalar>
tensor<Scalar> own_rows(const tensor<Scalar>& whole, const row_share& share, index_t pixels) {
  const int rank = distributed::ranks::all().rank();
  tensor<Scalar> result(share.images(rank) * pixels, whole.cols());
  Scalar* to = result.data();
  for (const auto& [first, count] : share.of_rank(rank)) {
    const Scalar* from = whole.data() + first * pixels * whole.cols();
    to = std::copy(from, from + count * pixels * whole.cols(), to);
  }
  return result;
}
} // namespace detail

/// The whole batch of which x is this rank's share; x itself where it is no share.
template <class Scalar>
variable<Scalar> gather_rows(const variable<Scalar>& x) {
  if (!x.share()) return x;
  const auto share = x.share();
  geometry shape = x.shape();
  const index_t pixels = shape.height * shape.width;
  shape.images = share->total();
  return make_result(detail::gathered(x.storage(), *share, pixels), shape, {x},
                     [share, pixels](const tensor<Scalar>& upstream, const auto& inputs) {
                       inputs[0].add_gradient(detail::own_rows(upstream, *share, pixels));
                     });
}

/// This rank's share of rows that all ranks have. x itself where the program trains alone, x is a share already, or nothing is recorded.
template <class Scalar>
variable<Scalar> scatter_rows(const variable<Scalar>& x) {
  if (distributed::ranks::all().alone() || x.share() || !recording()) return x;
  const auto share = std::make_shared<const row_share>(row_share{{x.shape().images}});
  geometry shape = x.shape();
  const index_t pixels = shape.height * shape.width;
  shape.images = share->images(distributed::ranks::all().rank());
  auto result = make_result(detail::own_rows(x.storage(), *share, pixels), shape, {x},
                            [share, pixels](const tensor<Scalar>& upstream, const auto& inputs) {
                              inputs[0].add_gradient(detail::gathered(upstream, *share, pixels));
                            });
  result.handle()->share = share;
  return result;
}

/// f on this rank's share of x, and what f gives for all of it.
template <class Scalar, class F>
variable<Scalar> on_ranks(const variable<Scalar>& x, const F& f) {
  return gather_rows(f(scatter_rows(x)));
}

/// For layers with parameters. Throws std::logic_error where their gradient would count every row once for each rank: that of a network
/// that is not called through on_ranks.
template <class Scalar>
void require_share(const variable<Scalar>& x) {
  if (recording() && !x.share() && !distributed::ranks::all().alone())
    throw std::logic_error("a layer has rows that every rank has: a network must be called through ad::on_ranks");
}

} // namespace dalib::ad
