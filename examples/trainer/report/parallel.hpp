#pragma once
// The parallel loop of the embeddings.

#include <dalib/execution/openmp.hpp>

#include <algorithm>

namespace dalib::report {

/// Calls body(i) for i = 0 .. count - 1 on `threads` threads (0: OpenMP's default; serial without OpenMP). Each call must write to places
/// of its own and must not throw; then the results do not depend on the number of threads.
template <class Body>
void for_rows(index_t count, int threads, const Body& body) {
  constexpr index_t block = 16;
  exec::openmp{threads}.run((count + block - 1) / block, [&](index_t task, int) {
    for (index_t i = task * block; i < std::min((task + 1) * block, count); ++i) body(i);
  });
}

} // namespace dalib::report
