#pragma once

#include <malloc.h>

#include <fstream>
#include <sstream>
#include <string>

namespace dalib::benchmarks {

/// A field of /proc/self/status in bytes, -1 if it is not there.
inline long process_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.compare(0, field.size(), field) == 0) {
      std::istringstream words(line.substr(field.size() + 1));
      long kilobytes = 0;
      return words >> kilobytes ? kilobytes * 1024 : -1;
    }
  return -1;
}

/// The largest growth of the process's memory while `work` runs, in bytes; -1 where the system cannot tell. Freed memory is given back to
/// the system first, so that work cannot hide in it.
template <class Work>
long peak_growth(const Work& work) {
  malloc_trim(0);
  // 5 resets the peak to what is resident now (proc(5)).
  if (!(std::ofstream("/proc/self/clear_refs") << 5 << std::flush)) return -1;
  const long before = process_bytes("VmRSS");
  work();
  const long peak = process_bytes("VmHWM");
  return before < 0 || peak < 0 ? -1 : peak - before;
}

} // namespace dalib::benchmarks
