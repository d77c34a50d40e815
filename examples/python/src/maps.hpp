/// @file
/// CDAN's maps as Python sees them.
#pragma once

#include <nanobind/nanobind.h>

namespace dalib_python {

/// Adds `multilinear_map`, its pull and the class `RandomisedMap`.
void bind_maps(nanobind::module_& m);

} // namespace dalib_python
