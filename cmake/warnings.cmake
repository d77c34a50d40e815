# Warnings for dalib's own tests, examples and benchmarks: link dalib_warnings PRIVATE. Never linked by dalib::dalib, never exported.
option(DALIB_WERROR "Treat warnings in dalib's own code as errors" ON)
add_library(dalib_warnings INTERFACE)
set(dalib_warning_flags -Wall -Wextra -Wpedantic -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12: from its own AVX-512 header, and (restrict) from its own string header in "literal" + std::string.
  list(APPEND dalib_warning_flags -Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  list(APPEND dalib_warning_flags -Wno-missing-braces) # a number as the bandwidth of a kernel, kernel::rational_quadratic{1.5, 2.0}, is meant to work
endif()
if(DALIB_WERROR)
  list(APPEND dalib_warning_flags -Werror)
endif()
target_compile_options(dalib_warnings INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${dalib_warning_flags}>")
