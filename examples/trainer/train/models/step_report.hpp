#pragma once
// What one training iteration reports, and how it fails.

#include "../batch.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

namespace dalib::train {

/// Numbers of one iteration, all before its update.
struct step_report {
  double classification_loss = 0; ///< cross-entropy on the source batch
  double transfer_loss = 0;       ///< 0 where the method has none
  double total_loss = 0;
  double correct = 0;         ///< right predictions on the source batch
  double domain_accuracy = 0; ///< of the discriminator in percent; 0 where there is none
};

/// Thrown before the update when a loss is NaN or infinite.
struct training_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws training_failure naming the loss if it is not finite.
inline void require_finite_loss(const char* name, double value) {
  if (!std::isfinite(value))
    throw training_failure(std::string("the ") + name + " is " + (std::isnan(value) ? "not a number" : "infinite"));
}

/// Right predictions among the rows.
template <class T>
double count_correct(const variable<T>& logits, std::span<const std::int64_t> labels) {
  double correct = 0;
  for (index_t row = 0; row < logits.rows(); ++row) {
    index_t predicted = 0;
    logits.value().row(row).maxCoeff(&predicted);
    correct += predicted == labels[static_cast<std::size_t>(row)] ? 1 : 0;
  }
  return correct;
}

} // namespace dalib::train
