#pragma once
// Execution that a user can watch and stop.

#include <dalib/execution/openmp.hpp>

#include <functional>

namespace dalib::compare {

/// Thrown where the user wants to stop.
struct interrupted {};

/// Who watches a run: `stopped` may be asked by every thread, `pulse` is called by the one that began the run.
struct watcher {
  std::function<bool()> stopped;
  std::function<void()> pulse;
};

/// The library's default execution, looked after: once the watcher says `stopped`, the tasks that are left are not begun, and `interrupted`
/// is thrown when all threads are done. So a test of minutes ends within a task's time, by the ordinary way out of its functions.
struct watched {
  using memory = host_memory;

  exec::default_policy inner{};
  const watcher* by = nullptr;

  int workers() const { return inner.workers(); }

  template <class Task>
  void run(index_t count, const Task& task) const {
    if (by == nullptr || within_a_run()) return inner.run(count, task);
    inner.run(count, [&](index_t i, int worker) {
      if (by->stopped()) return;
      task(i, worker);
      if (worker == 0) by->pulse();
    });
    if (by->stopped()) throw interrupted{};
  }

private:
  /// An exception must not leave another thread's task.
  static bool within_a_run() {
#if defined(_OPENMP)
    return omp_in_parallel() != 0;
#else
    return false;
#endif
  }
};

} // namespace dalib::compare
