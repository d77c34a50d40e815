// A call that runs out of device memory throws and has written nothing. On host systems device memory comes from aligned operator new.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <cstdlib>
#include <doctest/doctest.h>
#include <new>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

#if THRUST_DEVICE_SYSTEM != THRUST_DEVICE_SYSTEM_CUDA

namespace {
/// Aligned allocations of this thread that still succeed; below 0: all.
thread_local int allocations_left = -1;
} // namespace

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  const std::size_t unit = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace {

/// Fails the 1st, 2nd ... allocation of a call until it succeeds; returns how many it makes.
template <class Measure>
int refused_allocations(const Measure& measure, dalib::index_t rows, dalib::index_t features) {
  const device_matrix zs(normal_rows<float>(rows, features, 1)), zt(normal_rows<float>(rows, features, 2));
  matrix<float> mark(rows, features);
  mark.setConstant(42);
  device_matrix gs(mark), gt(mark);
  for (int allowed = 0;; ++allowed) {
    device_workspace scratch;
    allocations_left = allowed;
    bool failed = false;
    try {
      measure.value_and_gradient(exec::thrust{}, zs, zt, gradients{gs, gt}, scratch);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = -1;
    if (!failed) return allowed;
    CHECK(bool(gs.to_host() == mark));
    CHECK(bool(gt.to_host() == mark));
  }
}

} // namespace

TEST_CASE("device: out of memory leaves the outputs untouched") {
  CHECK(refused_allocations(mmd{kernel::gaussian{}, estimator::unbiased{}}, 300, 40) > 1);
  CHECK(refused_allocations(mmd{kernel::gaussian{}, estimator::linear_time{}}, 300, 400) > 1);
  CHECK(refused_allocations(mmd{kernel::gaussian{}, estimator::block{100}}, 300, 400) > 1);
}

#else

TEST_CASE("device: out of memory leaves the outputs untouched") {
  constexpr dalib::index_t rows = 3000, features = 40;
  const device_matrix zs(normal_rows<float>(rows, features, 1)), zt(normal_rows<float>(rows, features, 2));
  matrix<float> mark(rows, features);
  mark.setConstant(42);
  device_matrix gs(mark), gt(mark);
  std::vector<void*> held; // all memory but pieces of less than 1 MiB
  for (std::size_t size = std::size_t{1} << 40; size >= std::size_t{1} << 20; size /= 2)
    for (void* piece = nullptr; cudaMalloc(&piece, size) == cudaSuccess;) held.push_back(piece);
  cudaGetLastError();
  const mmd measure{kernel::gaussian{}, estimator::unbiased{}};
  CHECK_THROWS_WITH_AS(measure.value_and_gradient(zs, zt, gradients{gs, gt}), doctest::Contains("cudaMalloc: "), device_error);
  for (void* piece : held) cudaFree(piece);
  CHECK(bool(gs.to_host() == mark));
  CHECK(bool(gt.to_host() == mark));
  measure.value_and_gradient(zs, zt, gradients{gs, gt}); // the device still works
  CHECK(!bool(gs.to_host() == mark));
}

#endif
