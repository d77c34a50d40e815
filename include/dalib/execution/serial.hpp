/// @file
/// Execution on the calling thread.
#pragma once

#include "dalib/core/matrix_view.hpp"

namespace dalib::exec {

/// Runs every task on the calling thread.
///
/// @code{.cpp}
/// double squares[3];
/// exec::serial{}.run(3, [&](dalib::index_t i, int) { squares[i] = static_cast<double>(i * i); });
/// assert(squares[2] == 4);
/// @endcode
struct serial {
  using memory = host_memory;

  int workers() const { return 1; }

  /// Calls task(i, 0) for i = 0 .. count - 1.
  template <class Task>
  void run(index_t count, const Task& task) const {
    for (index_t i = 0; i < count; ++i) task(i, 0);
  }
};

} // namespace dalib::exec
