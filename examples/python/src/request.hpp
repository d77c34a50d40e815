/// @file
/// One call of a measure as it comes from Python: arrays as pointers with strides, and who runs it.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/core/workspace.hpp"
#include "dalib/execution/openmp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace dalib_python {

using dalib::index_t;

enum class scalar_type { float32, float64 };

/// A matrix in memory of Python's; strides in elements. No data: not given, or not wanted.
struct array {
  void* data = nullptr;
  index_t rows = 0, cols = 0, row_stride = 0, col_stride = 1;

  template <class T>
  dalib::matrix_view<const T> read() const {
    return {static_cast<const T*>(data), rows, cols, row_stride, col_stride};
  }
  template <class T>
  dalib::matrix_view<T> write() const {
    if (data == nullptr) return {};
    return {static_cast<T*>(data), rows, cols, row_stride, col_stride};
  }
};

/// What a plan is run with. Spans belong to the caller.
struct request {
  scalar_type scalar = scalar_type::float64;
  int threads = 0;
  bool gradient = false;
  double scale = 1;                                      ///< upstream gradient
  std::span<const array> inputs{};                       ///< by the measure's order; layers of the source, then of the target
  std::span<const array> outputs{};                      ///< a gradient for each differentiable input
  std::array<array, 2> weights{};                        ///< of both samples, contiguous
  array values{};                                        ///< reduction "none": one value per row
  std::array<std::span<const std::int64_t>, 2> labels{}; ///< of measures that take class labels
};

/// Calls f(T()) with the request's scalar type.
template <class F>
double by_scalar(const request& r, const F& f) {
  return r.scalar == scalar_type::float32 ? f(float()) : f(double());
}

/// Scratch memory of the thread that calls: kept, so that calls of the same shapes allocate nothing.
inline dalib::workspace& scratch_of_thread() {
  static thread_local dalib::workspace scratch;
  return scratch;
}

inline dalib::exec::openmp execution_of(const request& r) { return {r.threads}; }

/// A sample with its weights, if it has any. @throws std::invalid_argument as dalib::weighted does.
template <class T>
dalib::sample<T> sample_of(const array& rows, const array& weights) {
  const dalib::sample<T> result{rows.read<T>(), static_cast<const T*>(weights.data)};
  if (result.weights) dalib::require_weights(result.rows, result.weights, weights.rows);
  return result;
}

} // namespace dalib_python
