/// @file
/// Kernel matrices in device memory, at the speed of the product that they are made of.
#pragma once

#include "dalib/engine/thrust/kept_tiles.hpp"

#include <optional>

namespace dalib::engine {

namespace detail {
/// One entry of a symmetric part, from the half above its diagonal: a product need not give both halves the same last bit.
template <class T>
struct copy_half_task {
  matrix_view<const T, device_memory> from;
  matrix_view<T, device_memory> to;
  DALIB_HD void operator()(index_t task) const {
    const index_t i = task / to.cols, j = task % to.cols;
    to(i, j) = i < j ? from(i, j) : from(j, i);
  }
};
} // namespace detail

namespace device {

/// The matrices that `visitor` keeps, tile by tile; see the host's.
template <class Visitor, class T, class Profile>
void kernel_entries(const exec::thrust& exec, const Visitor& visitor, layer<T, Profile, device_memory> one,
                    const matrix_request<T, device_memory>& request, device_workspace& scratch) {
  using view = matrix_view<T, device_memory>;
  const index_t owns = request.out[0].rows;
  std::optional<sample_summary<T, device_memory>> twice;
  if (!request.across) one.summary = &twice.emplace(exec, joint_sample<T, device_memory>{one.data.source, one.data.source}, scratch);
  one.as_given = reads<Profile>::shift;
  device_kept_tiles<Visitor, T, Profile> tiles(exec, visitor, one, {false, owns, static_cast<index_t>(request.out.size())}, scratch);
  tiles.for_each_block(owns, request.across ? pair_blocks::across : pair_blocks::once, [&](const device_block& block) {
    const index_t column = block.first_column - (request.across ? owns : 0);
    for (std::size_t k = 0; k < request.out.size(); ++k) {
      const view& to = request.out[k];
      const view tile(const_cast<T*>(tiles.kept(static_cast<index_t>(k))), block.lanes, block.columns, 1, block.lanes);
      const view part(&to.data[block.first_lane * to.row_stride + column * to.col_stride], block.lanes, block.columns, to.row_stride,
                      to.col_stride);
      if (!request.across && block.diagonal()) {
        exec.run(block.lanes * block.columns, detail::copy_half_task<T>{tile, part});
        continue;
      }
      exec.run(block.lanes * block.columns, detail::copy_view_task<T>{tile, part});
      if (request.across) continue;
      const view mirrored(&to.data[column * to.row_stride + block.first_lane * to.col_stride], block.columns, block.lanes, to.row_stride,
                          to.col_stride);
      exec.run(block.lanes * block.columns, detail::copy_view_task<T>{tile.transposed(), mirrored});
    }
  });
  exec.synchronise(); // the scratch memory goes
}

} // namespace device
} // namespace dalib::engine
