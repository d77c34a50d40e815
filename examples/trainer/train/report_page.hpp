#pragma once
// report.html of a comparison.

#include "pictures.hpp"

#include "../report/html.hpp"

#include <vector>

namespace dalib::train {

/// The page: results, curves, how far the domains are apart before and after, pictures of the features, what the chosen model says of the
/// target, scores without labels, and how all this was made.
report::html_report report_page(const run_list& runs, const options& settings, const task& data, const std::vector<picture>& pictures);

} // namespace dalib::train
