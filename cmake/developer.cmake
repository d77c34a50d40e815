# Settings for building dalib itself; only read when dalib is the top project, never exported to users.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# One -march for the whole build: translation units with Eigen and different vector widths must not be linked together.
# g++ 12 knows newer CPUs under `native` only with an older tuning that is slower than the plain level, so the level is asked for by name.
set(DALIB_MARCH "auto" CACHE STRING "Value of -march for the whole build; auto = the highest x86-64 level of this machine, empty = none")
set(dalib_march ${DALIB_MARCH})
if(DALIB_MARCH STREQUAL "auto")
  set(dalib_march "")
  if(NOT CMAKE_CROSSCOMPILING)
    include(CheckCXXCompilerFlag)
    include(CheckCXXSourceRuns)
    check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"avx512f\") && __builtin_cpu_supports(\"avx512bw\") &&
      __builtin_cpu_supports(\"avx512cd\") && __builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"avx512vl\") ? 0 : 1; }" DALIB_CPU_V4)
    check_cxx_source_runs("int main() { return __builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\") &&
      __builtin_cpu_supports(\"bmi\") && __builtin_cpu_supports(\"bmi2\") ? 0 : 1; }" DALIB_CPU_V3)
    check_cxx_compiler_flag(-march=native DALIB_KNOWS_NATIVE)
    if(DALIB_CPU_V4)
      set(dalib_march x86-64-v4)
    elseif(DALIB_CPU_V3)
      set(dalib_march x86-64-v3)
    elseif(DALIB_KNOWS_NATIVE)
      set(dalib_march native)
    endif()
  endif()
endif()
if(dalib_march)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-march=${dalib_march}>")
endif()
message(STATUS "dalib: -march for the whole build: ${dalib_march}")

# Sanitizers for the whole build, with the settings of cmake/cache/sanitize.cmake.
set(DALIB_SANITIZE "" CACHE STRING "Sanitizers for the whole build, for example address,undefined")
if(DALIB_SANITIZE)
  add_compile_options(-fsanitize=${DALIB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DALIB_SANITIZE})
endif()
