#pragma once
// model.safetensors: a trained classifier with all that predictions need.

#include "evaluation.hpp"
#include "frozen_backbone.hpp"
#include "model_description.hpp"
#include "trust.hpp"

#include <filesystem>
#include <memory>

namespace dalib::train {

/// Writes a model, atomically: the tensors that predict under PyTorch's names, those of a frozen backbone included, what trust needs as
/// `trust.*`, and the description.
/// @param frozen nullptr where there is none
void save_model(const std::filesystem::path& path, const model_description& description, method& trained, frozen_backbone* frozen,
                trust& trusted);

/// A model that was read.
class trained_model {
public:
  /// Throws std::runtime_error naming the file if it cannot be read, is no model, or its tensors do not fit its description.
  explicit trained_model(const std::filesystem::path& path);

  const model_description& description() const { return description_; }
  const trust& trusted() const { return trust_; }

  /// Logits and features of images as data::make_dataset prepares them.
  nn::classifier_output<scalar> predict(const variable<scalar>& images);

private:
  model_description description_;
  std::unique_ptr<method> method_;
  std::unique_ptr<frozen_backbone> frozen_;
  trust trust_;
};

} // namespace dalib::train
