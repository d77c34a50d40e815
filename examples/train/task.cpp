#include "task.hpp"

#include "../data/digits.hpp"

#include <algorithm>
#include <stdexcept>

namespace dalib::train {

task load_task(const std::string& source, const std::string& target, const std::filesystem::path& folder) {
  using data::split;
  task result{data::load_digits(source, split::train, folder), data::load_digits(source, split::test, folder),
              data::load_digits(target, split::train, folder), data::load_digits(target, split::test, folder)};
  if (!(result.source_train.geometry == result.target_train.geometry) || result.source_train.classes != result.target_train.classes)
    throw std::invalid_argument("the domains '" + source + "' and '" + target + "' differ in image size or number of classes");
  std::fill(result.target_train.labels.begin(), result.target_train.labels.end(), 0);
  return result;
}

} // namespace dalib::train
