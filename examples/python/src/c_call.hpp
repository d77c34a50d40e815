/// @file
/// A call across the C interface of a library that was compiled for a user's kernel.
#pragma once

#include "request.hpp"

#include <cstdint>

namespace dalib_python {

/// Plain data: the library may come from another compiler than the module.
struct c_call {
  int scalar;
  int threads;
  int gradient;
  int estimator;
  std::int64_t block_rows;
  double scale;
  const array* inputs;
  std::int64_t input_count;
  const array* outputs;
  std::int64_t output_count;
  const array* weights;  ///< two
  const double* numbers; ///< the kernel's factor, then its parameters
  double value;          ///< the answer
  char* message;         ///< the error's, if the call returns another number than 0
  std::int64_t message_size;
};

using c_function = int (*)(c_call*);

} // namespace dalib_python
