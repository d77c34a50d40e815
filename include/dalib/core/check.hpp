/// @file
/// Checks at the entry of a measure: one exception type, the measure's name and both shapes in the message.
#pragma once

#include "dalib/core/matrix_view.hpp"
#include "dalib/core/strict.hpp"

#include <stdexcept>
#include <string>

namespace dalib {

/// Throws std::invalid_argument "measure: reason" (see DALIB_THROW for a program without exceptions).
[[noreturn]] inline void fail(const char* measure, const std::string& reason) {
  DALIB_THROW(std::invalid_argument(std::string(measure) + ": " + reason));
}

/// Throws std::invalid_argument with both shapes unless `condition`.
template <class A, class B>
void require_shapes(bool condition, const char* measure, const char* reason, const A& a, const B& b) {
  if (!condition) fail(measure, std::string(reason) + " (got " + shape_of(a) + " and " + shape_of(b) + ")");
}

/// Source and target must have samples and the same number of features.
template <class A, class B>
void require_two_samples(const char* measure, const A& source, const B& target) {
  require_shapes(source.rows > 0 && target.rows > 0, measure, "source and target must have at least one sample", source, target);
  require_shapes(source.cols == target.cols, measure, "source and target must have the same number of features", source, target);
  require_shapes(source.cols > 0, measure, "samples must have at least one feature", source, target);
}

/// A gradient must have the shape of what it is the gradient of, and memory. A default-made view means "not wanted".
template <class A, class B>
void require_gradient_shape(const char* measure, const A& tensor, const B& gradient) {
  if (gradient.data == nullptr && gradient.rows == 0) return;
  require_shapes(tensor.rows == gradient.rows && tensor.cols == gradient.cols, measure, "a gradient must have its tensor's shape", tensor,
                 gradient);
  require_shapes(gradient.data != nullptr, measure, "a gradient needs memory; a default-made view says that it is not wanted", tensor, gradient);
}

/// Every element must be finite. O(n F).
template <class T>
void require_finite(const char* measure, const char* which, const matrix_view<T, host_memory>& view) {
  for (index_t i = 0; i < view.rows; ++i)
    for (index_t j = 0; j < view.cols; ++j)
      if (!is_finite(view(i, j)))
        fail(measure, std::string(which) + " (" + shape_of(view) + ") has a value that is not finite at row " + std::to_string(i) +
                          ", column " + std::to_string(j));
}

} // namespace dalib
