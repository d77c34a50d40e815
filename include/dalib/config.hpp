/// @file
/// Version and the one macro of the API.
#pragma once

#define DALIB_VERSION_MAJOR 0
#define DALIB_VERSION_MINOR 1
#define DALIB_VERSION_PATCH 0

/// Marks a function that is valid on host and device. Empty unless a CUDA compiler reads it.
#if defined(__CUDACC__)
#  define DALIB_HD __host__ __device__
#else
#  define DALIB_HD
#endif
