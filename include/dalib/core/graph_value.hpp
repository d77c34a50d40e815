/// @file
/// Which types are values of a computation graph.
#pragma once

#include "dalib/core/graph.hpp"

namespace dalib {

/// A value of a computation graph: a tape's variable. Measures record themselves on it as one node. It may be a tensor too, as other
/// frameworks' are: a call of a measure records, value_and_gradient reads it as a tensor. Plain tensors say `records = false`.
///
/// @code{.cpp}
/// static_assert(!graph_value<Eigen::MatrixXd>); // a plain tensor: nothing is recorded
/// static_assert(!graph_value<int>);             // no graph_traits
/// @endcode
template <class V>
concept graph_value = requires {
  typename graph_traits<V>::scalar;
} && !requires { requires !graph_traits<V>::records; };

} // namespace dalib
