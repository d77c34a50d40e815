# Settings for building dalib itself; never exported to users.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# One -march for the whole build: translation units with Eigen and different vector widths must not be linked together.
# g++ 12 knows newer CPUs under `native` only with an older tuning that is slower than the plain level, so the level is asked for by name.
set(DALIB_MARCH "auto" CACHE STRING "Value of -march for the whole build; auto = the highest x86-64 level of this machine, empty = none")
if(DALIB_MARCH STREQUAL "auto")
  include(CheckCXXSourceRuns)
  check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"avx512f\") && __builtin_cpu_supports(\"avx512bw\") &&
    __builtin_cpu_supports(\"avx512cd\") && __builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"avx512vl\") ? 0 : 1; }" DALIB_CPU_V4)
  check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\") &&
    __builtin_cpu_supports(\"bmi2\") ? 0 : 1; }" DALIB_CPU_V3)
  if(DALIB_CPU_V4)
    set(dalib_march x86-64-v4)
  elseif(DALIB_CPU_V3)
    set(dalib_march x86-64-v3)
  else()
    set(dalib_march native)
  endif()
else()
  set(dalib_march ${DALIB_MARCH})
endif()
if(dalib_march)
  add_compile_options(-march=${dalib_march})
  message(STATUS "dalib: building everything with -march=${dalib_march}")
endif()

# Warnings for dalib's own tests, examples and benchmarks: link dalib_warnings PRIVATE.
option(DALIB_WERROR "Treat warnings in dalib's own code as errors" ON)
add_library(dalib_warnings INTERFACE)
target_compile_options(dalib_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion $<$<BOOL:${DALIB_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms from g++ 12's own AVX-512 header.
  target_compile_options(dalib_warnings INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
endif()

# Sanitizers for the whole build: -DDALIB_SANITIZE=address,undefined
set(DALIB_SANITIZE "" CACHE STRING "Sanitizers for the whole build, for example address,undefined")
if(DALIB_SANITIZE)
  add_compile_options(-fsanitize=${DALIB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${DALIB_SANITIZE})
endif()
