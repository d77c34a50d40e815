#pragma once
// A person's own data as a task.

#include "task.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// Tells of an image file that is passed over.
void report_skipped(const std::string& problem);

/// The inputs of one task, read once: classes and preparation come from the source and are checked against all others.
class own_data {
public:
  /// Throws data::wrong_input for names and paths that are wrong, std::runtime_error naming the file for data that are.
  own_data(const data_choice& choice, const task_names& names);

  /// Training images of the source, after the validation part was taken off where it is one.
  const data::input& source() const { return source_; }
  const data::input& validation() const { return validation_; }
  const data::input& target() const { return target_; }
  /// Of --target-test or the digits; otherwise without samples.
  const data::input& target_test() const { return target_test_; }
  const std::vector<std::string>& classes() const { return classes_; }
  const data::preparation& prepared() const { return prepared_; }

  /// The data sets. The target's test images are those of --target-test or, in their order, all of the target, with labels if it has any.
  /// The features of a frozen backbone are computed at the first call.
  task make_task(bool centre_crop);

private:
  data::input of_target(const data::input& all, const std::vector<std::string>& known) const;
  void split_source(double share);
  void compute_features();
  data::input as_features(const data::input& images);
  data::dataset dataset_of(const data::input& samples, const std::string& part, bool centre_crop) const;

  data_choice choice_;
  data::input source_, validation_, target_, target_test_;
  std::vector<std::string> classes_;
  data::preparation prepared_, shown_; // of the samples; of what the network is shown
  std::shared_ptr<frozen_backbone> frozen_;
  std::vector<std::filesystem::path> target_files_; // of the target's test images, also where they have become features
};

} // namespace dalib::train
