/// @file
/// Tiles of kernel matrices in device memory, one after another.
#pragma once

#include "dalib/engine/thrust/pairwise.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dalib::engine {

/// Which tiles a pass visits: all pairs of blocks once; in both orders; rows with those behind them.
enum class pair_blocks { once, both, across };

/// What is asked of kept tiles.
struct kept_request {
  bool distinct; ///< rows with themselves count 0
  index_t owns;  ///< rows that have a result
  index_t matrices;
};

/// The tiles that `Visitor` keeps, at most tile_bytes_limit of them at once.
template <class Visitor, class T, class Profile>
class device_kept_tiles {
  using pass_type = detail::device_pass<Visitor, accumulator::plain, unit_coefficients, device_layer<T, Profile>>;
  using partial = typename pass_type::partial;
  using indices = std::index_sequence<0>;
  using evaluate_task = detail::evaluate_task<pass_type, indices, device_layer<T, Profile>>;
  using close_task = detail::close_task<pass_type, indices, device_layer<T, Profile>>;

public:
  device_kept_tiles(const exec::thrust& exec, const Visitor& visitor, const layer<T, Profile, device_memory>& one,
                    const kept_request& request, device_workspace& scratch)
      : exec_(exec), rows_(one.data.rows()), block_(block_rows(request)) {
    device_layer<T, Profile> prepared{};
    prepared.profile = one.profile;
    prepared.data = one.data;
    prepared.mean = one.origin().mean;
    if (reads<Profile>::gram) prepared.tile.gram = scratch.allocate<T>(block_ * block_);
    prepared.rows = rows_from(exec, one, one.origin(), scratch);
    const kept_memory<T> kept{scratch.allocate<T>(request.matrices * block_ * block_), block_ * block_};
    pass_ = {visitor, {request.distinct}, {{prepared}}, {}, kept};
    values_ = scratch.allocate<partial>(block_ * ((block_ + columns_per_task - 1) / columns_per_task));
  }

  /// Makes the tile of one pair of blocks after another and calls use(block).
  template <class Use>
  void for_each_block(index_t owns, pair_blocks which, const Use& use) {
    for (index_t lane = 0; lane < owns; lane += block_)
      for (index_t column = which == pair_blocks::across ? owns : (which == pair_blocks::once ? lane : 0); column < rows_;
           column += block_) {
        pass_.block = {lane, std::min(block_, owns - lane), column, std::min(block_, rows_ - column)};
        evaluate();
        use(pass_.block);
      }
  }

  /// Entry (lane, column) of matrix k is at [column * lanes + lane].
  const T* kept(index_t k) const { return pass_.kept.data + k * pass_.kept.size; }

private:
  static constexpr index_t columns_per_task = 16;

  index_t block_rows(const kept_request& request) const {
    const double entries =
        static_cast<double>(tile_bytes_limit) / static_cast<double>((1 + request.matrices) * static_cast<index_t>(sizeof(T)));
    const auto most = std::max<index_t>(128, static_cast<index_t>(std::sqrt(entries)) / 128 * 128);
    return std::min({most, device_rows_limit, std::max(request.owns, rows_ - request.owns)});
  }

  void evaluate() {
    const device_block& block = pass_.block;
    const device_layer<T, Profile>& one = at<0>(pass_.layers);
    if constexpr (reads<Profile>::gram) device_product(exec_, product_of_rows(one.rows, block, one.tile.gram));
    exec_.run(block.lanes * ((block.columns + columns_per_task - 1) / columns_per_task), evaluate_task{pass_, columns_per_task, values_});
    if constexpr (reads<Profile>::distance) exec_.run(block.lanes, close_task{pass_, false, values_});
  }

  const exec::thrust& exec_;
  index_t rows_;
  index_t block_;
  pass_type pass_;
  partial* values_ = nullptr;
};

} // namespace dalib::engine
