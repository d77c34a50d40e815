#include "data/image_list.hpp"
#include "input.hpp"

#include <string_view>

// A list that is accepted has as many labels as paths, all of them below the number of classes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const int classes : {0, 31})
    fuzz::allow_refusal([&] {
      const dalib::data::image_list list = dalib::data::parse_image_list(text, "input", "folder", classes);
      fuzz::require(!list.paths.empty() && list.paths.size() == list.labels.size());
      fuzz::require(classes == 0 || list.classes == classes);
      for (const int label : list.labels) fuzz::require(label >= 0 && label < list.classes);
    });
  return 0;
}
