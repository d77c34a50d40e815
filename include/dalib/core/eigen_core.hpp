/// @file
/// Eigen/Core without the false alarms of g++.
#pragma once

// g++ 12 takes the registers that its own AVX-512 header leaves undefined on purpose for a mistake, wherever Eigen uses one, and says so in
// the file of who includes Eigen, from a system folder or not.
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wuninitialized"
#  pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#  pragma GCC diagnostic pop
#endif
