/// @file
/// Sizes that are whole numbers of a unit.
#pragma once

#include "dalib/core/matrix_view.hpp"

namespace dalib::engine {

/// Rounds `count` up to a multiple of `unit`.
constexpr index_t round_up(index_t count, index_t unit) { return (count + unit - 1) / unit * unit; }

} // namespace dalib::engine
