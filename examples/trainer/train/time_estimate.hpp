#pragma once
// How long training will take, told before it begins.

#include "options.hpp"

namespace dalib::train {

/// Seconds that all runs of the first task will take, from a few measured iterations of each method; see seconds_per_iteration. Nothing of
/// them is kept.
double estimated_seconds(const options& all, task_loader& loader);

/// Seconds of one iteration of a method at its beginning, from a few that are measured and of which nothing is kept.
/// @param settings as settings_for gives them
double measured_iteration_seconds(const options& settings, const task& data, const method_entry& entry);

} // namespace dalib::train
