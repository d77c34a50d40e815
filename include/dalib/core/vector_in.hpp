/// @file
/// A vector of numbers in the memory that a measure's tensors are in.
#pragma once

#include "dalib/core/matrix_view.hpp"

#include <vector>

namespace dalib {

namespace detail {
template <class Memory, class T>
struct vector_of_memory;
template <class T>
struct vector_of_memory<host_memory, T> {
  using type = std::vector<T>;
};
} // namespace detail

/// std::vector, or dalib/thrust.hpp's vector for device memory.
template <class Memory, class T>
using vector_in = typename detail::vector_of_memory<Memory, T>::type;

/// Where the elements lie; another memory's vector overloads it.
template <class T>
T* raw_data(std::vector<T>& v) {
  return v.data();
}
template <class T>
const T* raw_data(const std::vector<T>& v) {
  return v.data();
}

} // namespace dalib
