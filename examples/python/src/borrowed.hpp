/// @file
/// The arrays of one call from Python.
#pragma once

#include "borrowed_array.hpp"

#include <array>
#include <span>
#include <stdexcept>
#include <string>

namespace dalib_python {

/// Most arrays of one call.
constexpr std::size_t most_arrays = 8;

/// What a call borrows from Python while it runs.
struct borrowed {
  std::array<borrowed_array, most_arrays> arrays{};
  std::array<array, most_arrays> views{};
  std::size_t count = 0;

  void add(nb::handle object, const char* measure, const std::string& name, scalar_choice& scalar, access how) {
    if (count == most_arrays) throw std::invalid_argument(std::string(measure) + ": too many arrays");
    if (!object.is_none() || how == access::read) views[count] = arrays[count].borrow(object, {measure, name.c_str(), how}, scalar);
    ++count;
  }
  std::span<const array> all() const { return {views.data(), count}; }
};

} // namespace dalib_python
