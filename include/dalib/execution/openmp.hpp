/// @file
/// Execution on a team of OpenMP threads.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/execution/serial.hpp"

#if defined(_OPENMP)
#  include "dalib/execution/fork.hpp"

#  include <omp.h>

#  include <algorithm>
#endif

namespace dalib::exec {

#if defined(_OPENMP)
namespace detail {
/// Threads of the latest parallel region that this thread began. A smaller team would make libgomp end those left over, and start others for
/// the next larger one.
inline thread_local int last_team = 0;
} // namespace detail
#endif

/// Runs tasks on `threads` threads (0: as many as OpenMP gives). Engines cut work into tasks by the problem's size alone and merge results
/// in task order, so the answer has the same bits for any number of threads. Inside another parallel region it runs on the calling thread,
/// and so it does in the child of a process that had several threads when it forked: OpenMP's are not in the child.
/// In a program that is compiled without OpenMP (-fopenmp) every region is the calling thread's: the same answer, one worker.
///
/// @code{.cpp}
/// const Eigen::MatrixXf zs = Eigen::MatrixXf::Random(300, 8), zt = Eigen::MatrixXf::Random(200, 8);
/// const exec::openmp three{.threads = 3};
/// assert(mmd{}(three, zs, zt) == mmd{}(exec::serial{}, zs, zt)); // the same bits
/// assert(mmd{}(zs, zt) == mmd{}(exec::default_policy{}, zs, zt));
/// @endcode
struct openmp {
  using memory = host_memory;
  int threads = 0;

  int workers() const {
#if defined(_OPENMP)
    if (omp_in_parallel() || detail::lost_threads) return 1;
    return threads > 0 ? threads : omp_get_max_threads();
#else
    return 1;
#endif
  }

  /// Calls task(i, worker) for i = 0 .. count - 1, in any order, worker < workers(); returns when all are done.
  template <class Task>
  void run(index_t count, const Task& task) const {
#if defined(_OPENMP)
    const int most = workers();
    if (count <= 1 || most <= 1) return serial{}.run(count, task);
    const int team = std::min(most, std::max(detail::last_team, static_cast<int>(std::min<index_t>(count, most))));
    detail::last_team = team;
#  pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (index_t i = 0; i < count; ++i) task(i, omp_get_thread_num());
#else
    serial{}.run(count, task);
#endif
  }
};

/// What a measure uses when no execution policy is passed.
#if defined(_OPENMP)
using default_policy = openmp;
#else
using default_policy = serial;
#endif

/// What a measure uses for tensors in `Memory` when no execution policy is passed; dalib/thrust.hpp says it for device memory.
template <class Memory>
using default_for = typename backend<Memory>::execution;

} // namespace dalib::exec
