/// @file
/// Which types are values of a computation graph.
#pragma once

#include "dalib/core/graph.hpp"

namespace dalib {

/// A value of a computation graph that is no plain tensor: a tape's variable. Measures record themselves on it as one node.
template <class V>
concept graph_value = !matrix_like<V> && requires {
  typename graph_traits<V>::scalar;
};

} // namespace dalib
