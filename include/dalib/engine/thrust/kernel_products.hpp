/// @file
/// Kernel matrices times a right-hand side on a device: one tile of K after another, each with all of the device.
#pragma once

#include "dalib/engine/thrust/pairwise.hpp"

#include <algorithm>
#include <cmath>

namespace dalib::engine {

/// out_k = K_k Z for every matrix K_k that `Visitor` keeps. Memory beyond the inputs and outputs: the rows, the right-hand side and the
/// results once more, and tiles of at most tile_bytes_limit.
template <class Visitor, class T, class Profile>
class device_products {
  using pass_type = detail::device_pass<Visitor, accumulator::plain, unit_coefficients, device_layer<T, Profile>>;
  using partial = typename pass_type::partial;
  using indices = std::index_sequence<0>;
  using evaluate_task = detail::evaluate_task<pass_type, indices, device_layer<T, Profile>>;
  using close_task = detail::close_task<pass_type, indices, device_layer<T, Profile>>;
  using view = matrix_view<T, device_memory>;

public:
  device_products(const exec::thrust& exec, const Visitor& visitor, const layer<T, Profile, device_memory>& one,
                  const product_request<T, device_memory>& request, device_workspace& scratch)
      : exec_(exec), request_(request), terms_(static_cast<index_t>(request.out.size())), columns_(request.right.cols),
        rows_(one.data.rows()), owns_(request.out[0].rows), block_(block_rows()) {
    device_layer<T, Profile> prepared{};
    prepared.profile = one.profile;
    prepared.data = one.data;
    prepared.mean = one.origin().mean;
    if (reads<Profile>::gram) prepared.tile.gram = scratch.allocate<T>(block_ * block_);
    prepared.rows = rows_from(exec, one, one.origin(), scratch);
    const kept_tiles<T> kept{scratch.allocate<T>(terms_ * block_ * block_), block_ * block_};
    pass_ = {visitor, {request.pairs == pair_set::distinct}, {{prepared}}, {}, kept};
    values_ = scratch.allocate<partial>(block_ * ((block_ + columns_per_task - 1) / columns_per_task));
    right_ = scratch.allocate<T>(request.right.rows * columns_);
    sums_ = scratch.allocate<T>(terms_ * owns_ * columns_);
  }

  void run() {
    exec_.run(request_.right.rows * columns_, detail::copy_view_task<T>{request_.right, view(right_, request_.right.rows, columns_)});
    exec_.clear(sums_, terms_ * owns_ * columns_);
    const bool across = request_.pairs == pair_set::across;
    for (index_t lane = 0; lane < owns_; lane += block_)
      for (index_t column = across ? owns_ : lane; column < rows_; column += block_)
        visit({lane, std::min(block_, owns_ - lane), column, std::min(block_, rows_ - column)}, across);
    for (index_t k = 0; k < terms_; ++k) {
      const view from(sums_ + k * owns_ * columns_, owns_, columns_);
      exec_.run(owns_ * columns_, detail::copy_view_task<T>{from, request_.out[static_cast<std::size_t>(k)]});
    }
    exec_.synchronise(); // the scratch memory goes
  }

private:
  static constexpr index_t columns_per_task = 16;

  index_t block_rows() const {
    const double entries = static_cast<double>(tile_bytes_limit) / static_cast<double>((1 + terms_) * static_cast<index_t>(sizeof(T)));
    const auto most = std::max<index_t>(128, static_cast<index_t>(std::sqrt(entries)) / 128 * 128);
    return std::min({most, device_rows_limit, std::max(owns_, rows_ - owns_)});
  }

  void visit(const device_block& block, bool across) {
    pass_.block = block;
    const device_layer<T, Profile>& one = at<0>(pass_.layers);
    if constexpr (reads<Profile>::gram)
      device_product<T>(exec_, block.lanes, block.columns, one.rows.features, {one.rows.row(block.first_lane), one.rows.features, true},
                        {one.rows.row(block.first_column), one.rows.features}, one.tile.gram, block.lanes, false);
    exec_.run(block.lanes * ((block.columns + columns_per_task - 1) / columns_per_task), evaluate_task{pass_, columns_per_task, values_});
    if constexpr (reads<Profile>::distance) exec_.run(block.lanes, close_task{pass_, false, values_});
    for (index_t k = 0; k < terms_; ++k) {
      const T* entries = pass_.kept.data + k * pass_.kept.size;
      T* sums = sums_ + k * owns_ * columns_;
      // sums^T (P x own) += right^T (P x other) * K (other x own)
      multiply(block.first_lane, block.lanes, block.first_column - (across ? owns_ : 0), block.columns, {entries, block.lanes, true}, sums);
      if (!across && !block.diagonal())
        multiply(block.first_column, block.columns, block.first_lane, block.lanes, {entries, block.lanes, false}, sums);
    }
  }

  void multiply(index_t own_first, index_t own, index_t other_first, index_t others, product_operand<T> entries, T* sums) {
    device_product<T>(exec_, columns_, own, others, {right_ + other_first * columns_, columns_}, entries, sums + own_first * columns_,
                      columns_, true);
  }

  const exec::thrust& exec_;
  const product_request<T, device_memory>& request_;
  index_t terms_;
  index_t columns_;
  index_t rows_;
  index_t owns_;
  index_t block_;
  pass_type pass_;
  partial* values_ = nullptr;
  T* right_ = nullptr; ///< the right-hand side without gaps
  T* sums_ = nullptr;
};

namespace device {

/// out[k] = K_k Z; see engine/kernel_products.hpp.
template <class Visitor, class T, class Profile>
void kernel_products(const exec::thrust& exec, const Visitor& visitor, const layer<T, Profile, device_memory>& one,
                     const product_request<T, device_memory>& request, device_workspace& scratch) {
  device_products<Visitor, T, Profile>(exec, visitor, one, request, scratch).run();
}

} // namespace device
} // namespace dalib::engine
