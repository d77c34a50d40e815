/// @file
/// Products of a register of rows with a dense matrix.
#pragma once

#include "dalib/engine/class_tile.hpp"
#include "dalib/engine/microkernel.hpp"

namespace dalib::engine {

/// Rows and columns of a matrix for column_product are padded with zeros to a multiple of this.
inline constexpr index_t product_unit = 8;
static_assert(product_unit % most_tile_columns == 0);

/// out[j] = sum_k in[k] * m(k, j) for every row of the register: `matrix` gives m(k, j) at data[j * column_stride + k * depth_stride].
/// `out` has a multiple of product_unit columns; the depth is in.classes.
template <class T>
void column_product(const class_column<pack<T>>& in, const broadcast_operand<T>& matrix, const class_column<pack<T>>& out) {
  for (index_t j = 0; j < out.classes; j += tile_columns<T>)
    micro_tile<multiply_add>(1, in.classes, lane_operand<T>{in.data, in.stride, in.stride},
                             broadcast_operand<T>{matrix.data + j * matrix.column_stride, matrix.column_stride, matrix.depth_stride},
                             result_tile<T>{out.data + j * out.stride, out.stride});
}

} // namespace dalib::engine
