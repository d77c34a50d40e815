#pragma once
// The target's samples with what the chosen model says of them, for the report.

#include "comparison.hpp"
#include "task.hpp"

#include "../report/html.hpp"

namespace dalib::train {

/// Adds to a page the samples whose predictions are the least and the most certain: images as a contact sheet with small pictures inside of
/// the page, rows of features and tables as a list, those of tables with their first values.
void add_target_samples(report::html_report& page, const run_result& best, const task& data);

} // namespace dalib::train
