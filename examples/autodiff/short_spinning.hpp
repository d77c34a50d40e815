#pragma once
// How long the idle threads of a program wait at full speed: see include/dalib/threads.md.

#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)
#  include <cstdlib>
#  include <string_view>
#  include <unistd.h>
#endif

namespace dalib {

/// Lets OpenMP's idle threads sleep after some microseconds, unless the user's environment says otherwise. To be called first in main.
///
/// Between two parallel loops libgomp's threads spin for milliseconds. With other work on the processors they take the time of the one thread
/// that has something to do: a training iteration then takes ten times as long. libgomp reads its settings when it is loaded, so the program
/// sets GOMP_SPINCOUNT and executes itself again, once: it keeps its process number, arguments and open files. Where that is not possible
/// (no /proc), with another runtime than libgomp, and under valgrind, which would lose sight of the program, it goes on as it is.
inline void spin_briefly([[maybe_unused]] char** argv) {
#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)
  // Measured on two cores, idle and with two other busy processes (threads.md); a round takes a few nanoseconds.
  constexpr const char* rounds = "1000";
  for (const char* own : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"})
    if (std::getenv(own) != nullptr) return; // set by the user, or by the first start of this program
  const char* const preloaded = std::getenv("LD_PRELOAD");
  if (preloaded != nullptr && std::string_view(preloaded).find("valgrind") != std::string_view::npos) return;
  if (::setenv("GOMP_SPINCOUNT", rounds, 0) != 0) return;
  ::execv("/proc/self/exe", argv);
  ::unsetenv("GOMP_SPINCOUNT"); // still here: the setting came too late for this process, and children decide for themselves
#endif
}

} // namespace dalib
