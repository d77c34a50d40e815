#pragma once
// The files of a finished comparison.

#include "comparison.hpp"
#include "run.hpp"
#include "task.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace dalib::train {

/// Checks before training that everything can be written later: makes the folders of `settings.out` and of --json, and writes and removes a
/// file in each. Throws std::runtime_error naming the folder.
void prepare_output(const options& settings);

/// Writes report.html, the plots as SVG, results.json and results.md, and the model and predictions of best_run to the folder of --out, and
/// the file of --json. Returns what was written.
/// @param before seen_before_training (report_page.hpp)
std::vector<std::filesystem::path> write_output(const run_list& runs, const options& settings, const task& data,
                                                const std::optional<seen_features>& before);

} // namespace dalib::train
