# Sets dalib_march to the value of -march for this build: DALIB_MARCH, or, where that is "auto", the highest x86-64 level of the machine that
# builds, or its own processor elsewhere; empty when cross-compiling. g++ 12 knows newer CPUs under `native` only with an older tuning that is
# slower than the plain level, so the level is asked for by name.
set(DALIB_MARCH "auto" CACHE STRING "Value of -march for dalib::fast and dalib's own build; auto = the best of this machine, empty = none")
set(dalib_march "${DALIB_MARCH}")
if(DALIB_MARCH STREQUAL "auto")
  set(dalib_march "")
  if(NOT CMAKE_CROSSCOMPILING)
    try_run(DALIB_CPU_LEVEL DALIB_CPU_LEVEL_COMPILED SOURCE_FROM_CONTENT dalib_cpu_level.cpp [[
      #define HAS __builtin_cpu_supports
      int main() {
        if (!HAS("avx2") || !HAS("fma") || !HAS("bmi") || !HAS("bmi2")) return 2;
        return HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl") ? 4 : 3;
      }
    ]])
    if(DALIB_CPU_LEVEL MATCHES "^[34]$")
      set(dalib_march x86-64-v${DALIB_CPU_LEVEL})
    else()
      include(CheckCXXCompilerFlag)
      set(CMAKE_REQUIRED_QUIET ON)
      check_cxx_compiler_flag(-march=native DALIB_KNOWS_NATIVE)
      unset(CMAKE_REQUIRED_QUIET)
      if(DALIB_KNOWS_NATIVE)
        set(dalib_march native)
      endif()
    endif()
  endif()
endif()
