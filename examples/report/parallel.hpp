#pragma once
// The one parallel loop of the report.

namespace dalib::report {

/// Calls body(i) for i = 0 .. count - 1 on `threads` threads (0: OpenMP's default; serial without OpenMP). Each call must write to places
/// of its own and must not throw; then the results do not depend on the number of threads.
template <class Index, class Body>
void parallel_for(Index count, int threads, const Body& body) {
#ifdef _OPENMP
  if (threads > 0) {
#  pragma omp parallel for schedule(static) num_threads(threads)
    for (Index i = 0; i < count; ++i) body(i);
  } else {
#  pragma omp parallel for schedule(static)
    for (Index i = 0; i < count; ++i) body(i);
  }
#else
  static_cast<void>(threads);
  for (Index i = 0; i < count; ++i) body(i);
#endif
}

} // namespace dalib::report
