/// @file
/// Which types are values of a computation graph.
#pragma once

#include "dalib/core/graph.hpp"

namespace dalib {

/// A value of a computation graph that is no plain tensor: a tape's variable. Measures record themselves on it as one node.
///
/// @code{.cpp}
/// static_assert(!graph_value<Eigen::MatrixXd>); // a plain tensor: nothing is recorded
/// static_assert(!graph_value<int>);             // no graph_traits
/// @endcode
template <class V>
concept graph_value = !matrix_like<V> && requires {
  typename graph_traits<V>::scalar;
};

} // namespace dalib
