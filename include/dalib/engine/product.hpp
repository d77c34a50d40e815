/// @file
/// Matrix products over views, in any memory.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/engine/host/backend.hpp"

#include <type_traits>

namespace dalib::engine {

/// C = alpha A B + beta C for A (m, k), B (k, n), C (m, n) in one memory. Strides are any; op(A) = A^T is `a.transposed()`. C must not
/// overlap A or B. O(m n k) time; memory for blocks of A and B, which is given back to `scratch`. On the host every element is one chain of
/// multiply-adds in the order of k (of up to 2048 terms; sums of runs beyond), then times alpha: the same bits for any strides and any
/// number of threads. @throws std::invalid_argument for shapes that do not fit; nothing has been written then.
template <class Exec, class T, class Memory>
void product(const Exec& exec, const std::type_identity_t<matrix_view<const T, Memory>>& a,
             const std::type_identity_t<matrix_view<const T, Memory>>& b, const matrix_view<T, Memory>& c, product_scale<T> scale,
             workspace_of<Memory>& scratch) {
  require_shapes(a.cols == b.rows, "product", "the first factor must have as many columns as the second has rows", a, b);
  if (c.rows != a.rows || c.cols != b.cols)
    fail("product", "the result of " + shape_of(a) + " and " + shape_of(b) + " must be " + std::to_string(a.rows) + " x " +
                        std::to_string(b.cols) + " (got " + shape_of(c) + ")");
  backend<Memory>::product(exec, a, b, c, scale, scratch);
}

} // namespace dalib::engine
