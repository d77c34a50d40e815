#pragma once
// Which classes take part in a task: partial targets, and an unknown class.

#include "../data/dataset.hpp"
#include "../data/input.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// What --source-classes, --target-classes and --open-set say.
struct class_selection {
  std::vector<std::string> source; ///< names of those that are kept; empty: all
  std::vector<std::string> target;
  bool open_set = false; ///< the source's are the known ones, and what else the target has is one class, `unknown_class`

  bool any() const { return open_set || !source.empty() || !target.empty(); }
};

/// Name of the last class of an open set.
inline constexpr const char* unknown_class = "unknown";

struct task;

/// Keeps the chosen classes in all parts of a task, and numbers them anew where an unknown one is added.
/// Throws data::wrong_input for a name that is no class of the task, one known class only, or an open set without unknown samples.
void select_classes(task& data, const class_selection& choice);

/// Keeps the samples of the chosen classes. Throws data::wrong_input naming `option` and the input for a class that it lacks, or if it has
/// no labels.
data::input keep_classes(const data::input& all, const std::vector<std::string>& chosen, const char* option);

/// Calls what is not among the known classes unknown. Throws data::wrong_input if a known class is called like that.
void name_unknown(data::input& samples, const std::vector<std::string>& known);

} // namespace dalib::train
