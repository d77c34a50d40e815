/// @file
/// Rows of weight 0 in device memory.
#pragma once

#include "dalib/engine/sample/counted_rows.hpp"
#include "dalib/execution/thrust.hpp"
#include "dalib/tensor/thrust.hpp"

#include <algorithm>
#include <vector>

namespace dalib::engine {

namespace detail {
/// One element of the copy: task = row * features + feature.
template <class T>
struct counted_element_task {
  sample<T, device_memory> from;
  index_t first_counted;
  matrix_view<T, device_memory> to;

  DALIB_HD void operator()(index_t task) const {
    const index_t row = task / to.cols, f = task % to.cols;
    to(row, f) = from.rows(from.weights[row] > T(0) ? row : first_counted, f);
  }
};
} // namespace detail

namespace device {

/// The same as for host memory. Waits for the device if there are weights.
template <class T>
sample<T, device_memory> counted_rows(const exec::thrust& exec, const sample<T, device_memory>& one, device_workspace& scratch) {
  if (!one.weights) return one;
  const std::vector<T> weights = dalib::detail::host_weights(one);
  const auto counts = [](T weight) { return weight > T(0); };
  const index_t first = std::find_if(weights.begin(), weights.end(), counts) - weights.begin();
  if (first == one.rows.rows || std::all_of(weights.begin(), weights.end(), counts)) return one;
  const matrix_view<T, device_memory> copy(scratch.allocate<T>(one.rows.rows * one.rows.cols), one.rows.rows, one.rows.cols);
  exec.run(copy.rows * copy.cols, detail::counted_element_task<T>{one, first, copy});
  return {copy, one.weights};
}

} // namespace device
} // namespace dalib::engine
