#pragma once
// The data of one adaptation task.

#include "../data/dataset.hpp"

#include <filesystem>
#include <string>

namespace dalib::train {

/// From which domain to which one. Training uses the labels of `source_train` only; `source_test` serves as validation data.
/// The labels of `target_test` are used for the reported accuracies; `target_train` has had its labels replaced, see load_task.
struct task {
  data::dataset source_train, source_test, target_train, target_test;

  std::string name() const { return domain_of(source_train) + " -> " + domain_of(target_train); }

private:
  static std::string domain_of(const data::dataset& set) { return set.name.substr(0, set.name.find(' ')); }
};

/// Loads both domains. The labels of the target's training images are set to 0, so that nothing can use them by mistake.
/// Throws what data::load_digits throws, and std::invalid_argument if the domains differ in image size or number of classes.
task load_task(const std::string& source, const std::string& target, const std::filesystem::path& folder);

} // namespace dalib::train
