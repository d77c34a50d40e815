#pragma once
// How long training will take, told before it begins.

#include "options.hpp"

namespace dalib::train {

/// Seconds that all runs of the first task will take, from a few measured iterations of each method; see seconds_per_iteration. Nothing of
/// them is kept.
double estimated_seconds(const options& all, task_loader& loader);

} // namespace dalib::train
