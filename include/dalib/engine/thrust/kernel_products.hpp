/// @file
/// Kernel matrices times a right-hand side on a device: one tile of K after another, each with all of the device.
#pragma once

#include "dalib/engine/thrust/kept_tiles.hpp"

#include <cstddef>

namespace dalib::engine {

/// out_k = K_k Z for every matrix K_k that `Visitor` keeps. Memory beyond the inputs and outputs: the rows, the right-hand side and the
/// results once more, and tiles of at most tile_bytes_limit.
template <class Visitor, class T, class Profile>
class device_products {
  using view = matrix_view<T, device_memory>;

public:
  device_products(const exec::thrust& exec, const Visitor& visitor, const layer<T, Profile, device_memory>& one,
                  const product_request<T, device_memory>& request, device_workspace& scratch)
      : exec_(exec), request_(request), terms_(static_cast<index_t>(request.out.size())), columns_(request.right.cols),
        owns_(request.out[0].rows), tiles_(exec, visitor, one, {request.pairs == pair_set::distinct, owns_, terms_}, scratch),
        right_(scratch.allocate<T>(request.right.rows * columns_)), sums_(scratch.allocate<T>(terms_ * owns_ * columns_)) {}

  void run() {
    exec_.run(request_.right.rows * columns_, detail::copy_view_task<T>{request_.right, view(right_, request_.right.rows, columns_)});
    exec_.clear(sums_, terms_ * owns_ * columns_);
    const bool across = request_.pairs == pair_set::across;
    tiles_.for_each_block(owns_, across ? pair_blocks::across : pair_blocks::once,
                          [&](const device_block& block) { multiply(block, across); });
    for (index_t k = 0; k < terms_; ++k) {
      const view from(sums_ + k * owns_ * columns_, owns_, columns_);
      exec_.run(owns_ * columns_, detail::copy_view_task<T>{from, request_.out[static_cast<std::size_t>(k)]});
    }
    exec_.synchronise(); // the scratch memory goes
  }

private:
  void multiply(const device_block& block, bool across) {
    for (index_t k = 0; k < terms_; ++k) {
      const T* entries = tiles_.kept(k);
      T* sums = sums_ + k * owns_ * columns_;
      // sums^T (P x own) += right^T (P x other) * K (other x own)
      const index_t column = block.first_column - (across ? owns_ : 0);
      add({block.first_lane, block.lanes}, {column, block.columns}, {entries, block.lanes, true}, sums);
      if (!across && !block.diagonal()) add({column, block.columns}, {block.first_lane, block.lanes}, {entries, block.lanes, false}, sums);
    }
  }

  struct run_of_rows {
    index_t first, count;
  };
  void add(run_of_rows own, run_of_rows other, product_operand<T> entries, T* sums) {
    const product_operand<T> right{right_ + other.first * columns_, columns_};
    device_product(exec_, stored_product<T>{.rows = columns_,
                                            .cols = own.count,
                                            .depth = other.count,
                                            .a = right,
                                            .b = entries,
                                            .c = sums + own.first * columns_,
                                            .stride = columns_,
                                            .scale = {T(1), T(1)}});
  }

  const exec::thrust& exec_;
  const product_request<T, device_memory>& request_;
  index_t terms_;
  index_t columns_;
  index_t owns_;
  device_kept_tiles<Visitor, T, Profile> tiles_;
  T* right_; ///< the right-hand side without gaps
  T* sums_;
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
