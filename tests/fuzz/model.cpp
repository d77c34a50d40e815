#include "input.hpp"
#include "io/safetensors.hpp"
#include "train/model_description.hpp"

// A description that is accepted is written and read again the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    const dalib::io::safetensors_file file(fuzz::as_input(data, size), "input");
    const dalib::train::model_description read = dalib::train::model_description_of(file.metadata(), "input");
    const auto texts = dalib::train::to_metadata(read);
    fuzz::require(dalib::train::to_metadata(dalib::train::model_description_of(texts, "again")) == texts);
  });
  return 0;
}
