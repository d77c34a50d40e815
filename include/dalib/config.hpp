/// @file
/// Version and the macros of the API.
#pragma once

#if !defined(__cpp_exceptions)
#  include <cstdio>
#  include <cstdlib>
#endif

#define DALIB_VERSION_MAJOR 0
#define DALIB_VERSION_MINOR 1
#define DALIB_VERSION_PATCH 0

/// Marks a function that is valid on host and device. Empty unless a CUDA compiler reads it.
#if defined(__CUDACC__)
#  define DALIB_HD __host__ __device__
#else
#  define DALIB_HD
#endif

/// Throws an exception. Where exceptions are switched off (-fno-exceptions) its message is printed and the program ends by std::abort.
#if defined(__cpp_exceptions)
#  define DALIB_THROW(...) throw __VA_ARGS__
#else
#  define DALIB_THROW(...) (std::fprintf(stderr, "%s\n", (__VA_ARGS__).what()), std::abort())
#endif

/// @internal
/// Marks a function that is compiled once, whoever calls it: code inlined at two places may round differently at each, since compilers
/// contract a * b + c there as they like.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#  define DALIB_ONE_COPY [[gnu::noinline, gnu::noclone]]
#else
#  define DALIB_ONE_COPY [[gnu::noinline]]
#endif
