#pragma once
// report.html of a comparison.

#include "pictures.hpp"
#include "run.hpp"

#include "../report/html.hpp"

#include <optional>
#include <vector>

namespace dalib::train {

/// What the chosen run's model saw before training; nothing where a run without adaptation stands for that. All ranks predict together.
std::optional<seen_features> seen_before_training(const run_list& runs, const options& settings, const task& data);

/// The page: results, curves, how far the domains are apart before and after, pictures of the features, what the chosen model says of the
/// target, scores without labels, and how all this was made.
/// @param before seen_before_training of the same
report::html_report report_page(const run_list& runs, const options& settings, const task& data, const std::vector<picture>& pictures,
                                const std::optional<seen_features>& before);

} // namespace dalib::train
