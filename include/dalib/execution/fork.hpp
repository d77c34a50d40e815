/// @file
/// Whether this process has lost OpenMP's threads by a fork.
#pragma once

#if defined(__unix__) || defined(__APPLE__)
#  include <pthread.h>
#  if __has_include(<sys/single_threaded.h>)
#    include <sys/single_threaded.h>
#  endif
#endif

namespace dalib::exec::detail {

/// Set in the child of a fork whose parent had several threads. Only the forking thread goes on in a child: a parallel region there would
/// wait for ever for the others, which libgomp believes to be asleep.
inline bool lost_threads = false;

#if defined(__unix__) || defined(__APPLE__)

/// Whether the process may have had other threads when it forked.
inline bool several_threads = true;

inline void before_fork() {
#  if __has_include(<sys/single_threaded.h>)
  several_threads = __libc_single_threaded == 0;
#  endif
}
inline void in_child() { lost_threads = lost_threads || several_threads; }

/// Registered when the program is loaded: parallel regions of others than this library count too.
inline const bool forks_are_watched = pthread_atfork(before_fork, nullptr, in_child) == 0;

#endif

} // namespace dalib::exec::detail
