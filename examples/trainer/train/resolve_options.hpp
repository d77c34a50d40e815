#pragma once
// From what stands on the command line to the settings of a run: names into entries, and settings that depend on each other.
// A complaint is thrown in the way of CLI11's own checks, or as std::invalid_argument for a wrong name or path.

#include "options.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// The option values that are not yet in their final form.
struct raw_options {
  std::vector<std::string> methods;
  std::string source = "mnist", target = "optdigits";
  std::vector<std::string> tasks;
  std::string root, arch, weights;
  std::string unreadable = "stop", missing = "refuse";
  std::string select = "last";
  bool save = false;
  std::string json;
  std::string budget;
  bool no_baseline = false;
  bool no_pictures = false;
  bool plain_momentum = false;
};

/// Names into entries: 'all', aliases, the baseline in front, nothing twice.
std::vector<std::string> resolve_methods(const std::vector<std::string>& asked, bool with_baseline);

/// The pairs of source and target.
std::vector<task_names> resolve_tasks(const raw_options& raw, const options& o);

/// Settings that depend on each other: data set and network.
void resolve_data(const raw_options& raw, options& o);

/// The known classes of an open set where none were named. Complains about classes of the source without one.
void resolve_classes(options& o);

/// Leaves the methods out that need an unknown class where there is none, or complains if one was asked for by name.
void keep_methods_for_classes(const raw_options& raw, options& o);

/// Leaves the methods out that have nothing to do without a backbone to train, or complains if one was asked for by name.
void keep_methods_for_features(const raw_options& raw, options& o);

/// Complains about a setting of a method that is not among the chosen ones.
void check_method_settings(const options& o);

/// The budget of --method auto. Complains about one that nothing is trained by, or of iterations for less than one training.
void resolve_budget(const raw_options& raw, options& o);

} // namespace dalib::train
