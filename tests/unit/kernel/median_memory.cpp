// The median rule takes its memory from the caller's workspace: with one that is warm, a call allocates nothing.
#include "conformance/samples.hpp"

#include <atomic>
#include <cstdlib>
#include <doctest/doctest.h>
#include <new>
#include <vector>

namespace {
std::atomic<long> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (void* p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0))) return p;
  throw std::bad_alloc();
}
} // namespace

// For all of this program.
void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return counted(bytes, static_cast<std::size_t>(alignment)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

TEST_CASE("median: nothing is allocated once the workspace holds everything, with and without weights, zero weights too") {
  const matrix<float> zs = normal_rows<float>(600, 3, 1), zt = normal_rows<float>(700, 3, 2, 1.2, 0.3);
  matrix<float> gs(600, 3), gt(700, 3);
  std::vector<float> ws(600, 1.5f), wt(700, 1.f);
  ws[3] = 0;
  const auto check = [&](const auto& source, const auto& target) {
    workspace scratch;
    const mmd loss{kernel::gaussian_ladder{0.5, 3, bandwidth::median{}}, estimator::linear_time{}};
    const mmd all_pairs{kernel::gaussian{bandwidth::median{}}, estimator::biased{}};
    const auto call = [&] {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(source)>, matrix<float>>)
        loss.value_and_gradient(exec::serial{}, source, target, gradients{gs, gt}, scratch);
      all_pairs.value_and_gradient(exec::serial{}, source, target, gradients{gs, gt}, scratch);
    };
    call();
    call();
    const long before = allocations;
    call();
    CHECK(allocations - before == 0);
  };
  check(zs, zt);
  check(weighted(zs, ws), weighted(zt, wt));
}
