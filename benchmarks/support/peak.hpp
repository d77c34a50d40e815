#pragma once

#include "inputs.hpp"

#include <dalib/simd/vector_math.hpp>
#include <dalib/core/workspace.hpp>
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace dalib::benchmarks {

/// Eigen's product of two matrices of 1024 x 1024: what a user of Eigen reaches.
template <class T>
class eigen_product {
public:
  double flops() const { return 2.0 * size * size * size; }
  void run() { c_.noalias() = a_ * b_; }

private:
  static constexpr Eigen::Index size = 1024;
  matrix<T> a_ = draw<T>(size, size, {1});
  matrix<T> b_ = draw<T>(size, size, {2});
  matrix<T> c_ = matrix<T>::Zero(size, size);
};

/// A register tile of 8 x 3 (4 x 3 with 16 registers) sums, over and over on operands in the first-level cache of every core: as close to
/// the limit of the multiply-add units as compiled code comes. The better of both products is taken as the machine's peak.
template <class T>
class cached_product {
public:
  cached_product() {
    for (int i = 0; i < threads_; ++i) {
      operands_.push_back(memory_.allocate<T>(elements));
      std::fill_n(operands_.back(), elements, T(1) / depth);
    }
  }

  double flops() const { return 2.0 * threads_ * repeats * depth * columns * rows; }

  void run() {
#pragma omp parallel num_threads(threads_)
    {
      T* operands = operands_[static_cast<std::size_t>(omp_get_thread_num())];
      for (int r = 0; r < repeats; ++r) multiply(operands, operands + depth * rows, operands + depth * (rows + columns));
    }
  }

private:
  static constexpr int columns = simd_bytes == 64 ? 8 : 4, registers = 3;
  static constexpr int repeats = 20000, depth = 96;
  static constexpr int rows = registers * simd_lanes<T>;
  static constexpr int elements = depth * (rows + columns) + rows * columns;

  // Every register is loaded and stored by itself: copying the arrays as a whole would keep them in memory.
  static void multiply(const T* a, const T* b, T* result) {
    using vector = simd_vector<T>;
    vector sums[columns][registers] = {};
    for (int k = 0; k < depth; ++k) {
      vector lanes[registers];
#pragma GCC unroll 3
      for (int v = 0; v < registers; ++v) std::memcpy(&lanes[v], a + k * rows + v * simd_lanes<T>, sizeof(vector));
#pragma GCC unroll 8
      for (int c = 0; c < columns; ++c) {
        const vector scalar = vector{} + b[k * columns + c];
#pragma GCC unroll 3
        for (int v = 0; v < registers; ++v) sums[c][v] += lanes[v] * scalar;
      }
    }
#pragma GCC unroll 8
    for (int c = 0; c < columns; ++c)
#pragma GCC unroll 3
      for (int v = 0; v < registers; ++v) std::memcpy(result + c * rows + v * simd_lanes<T>, &sums[c][v], sizeof(vector));
  }

  int threads_ = omp_get_max_threads();
  workspace memory_;
  std::vector<T*> operands_;
};

/// Copies a block of memory with all threads.
template <class T>
void copy_in_parallel(const matrix<T>& from, matrix<T>& to) {
  constexpr Eigen::Index chunk = Eigen::Index{1} << 16;
#pragma omp parallel for schedule(static)
  for (Eigen::Index first = 0; first < from.size(); first += chunk)
    std::memcpy(to.data() + first, from.data() + first, static_cast<std::size_t>(std::min(chunk, from.size() - first)) * sizeof(T));
}

} // namespace dalib::benchmarks
