#pragma once
// Losses that are added to a method's own.

#include "classifier_model.hpp"

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>

namespace dalib::train {

/// What a term sees: outputs of both domains in training mode, the labels of the source's rows, and how many iterations are behind it.
template <class T>
struct term_input {
  const domain_outputs<T>& outputs;
  std::span<const std::int64_t> source_labels;
  std::int64_t iteration = 0;
};

/// One term of a transfer loss: weight x loss. It has no parameters and no state, so nothing of it is in a checkpoint.
template <class T>
struct transfer_term {
  double weight = 1;
  std::function<variable<T>(const term_input<T>&)> loss;
};

/// From 0 to 1 as the gradient reversal's coefficient grows: for terms that trust predictions, which are worth little at the start.
inline double ramp(std::int64_t iteration, long iterations) {
  return std::tanh(static_cast<double>(iteration) / static_cast<double>(iterations) / 2);
}

} // namespace dalib::train
