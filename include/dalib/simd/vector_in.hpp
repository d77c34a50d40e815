/// @file
/// A vector of numbers in the memory that a measure's tensors are in.
#pragma once

#include "dalib/core/matrix_view.hpp"

namespace dalib {

/// std::vector, or dalib/thrust.hpp's vector for device memory: made with its size, and a number for all elements or none; `data()` is a
/// pointer to the first.
template <class Memory, class T>
using vector_in = typename backend<Memory>::template vector<T>;

} // namespace dalib
