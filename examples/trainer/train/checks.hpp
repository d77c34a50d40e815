#pragma once
// What is looked at before own data are trained on.

#include "own_data.hpp"

#include <string>
#include <vector>

namespace dalib::train {

/// What was found: lines that describe the data, and sentences that somebody should read before training.
struct data_report {
  std::vector<std::string> lines, warnings;
};

/// Looks at all samples: sizes, classes, files that cannot be read, samples that both domains have. Files are decoded for at most half a
/// minute; of the rest only the bytes are compared.
/// @param skip_unreadable files that cannot be read are warnings
/// Throws std::runtime_error naming the first files that cannot be read otherwise.
data_report check_data(const own_data& data, bool skip_unreadable);

/// Seconds as somebody says them: "40 s", "12 min", "3.5 h".
std::string spoken_time(double seconds);

} // namespace dalib::train
