#pragma once
// What the scores without labels mean, for readers.

#include <string_view>

namespace dalib::train {

/// A sentence on a score of label_free_names, or on "score". All are of the target's predictions or features, without its labels; higher is
/// better. Throws std::invalid_argument for other names.
std::string_view meaning_of_score(std::string_view name);

} // namespace dalib::train
