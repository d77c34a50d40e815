#include "io/safetensors.hpp"
#include "input.hpp"

using namespace dalib::io;

// A file that is accepted can be converted, and written and read again with the same header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    const safetensors_file file(fuzz::as_input(data, size), "input");
    std::size_t bytes = 0;
    for (const tensor_view& tensor : file.tensors()) {
      bytes += tensor.bytes.size();
      fuzz::require(tensor.values<double>().size() == tensor.size());
      fuzz::require(file.find(tensor.name) == &tensor);
      fuzz::allow_refusal([&] { tensor.values<std::int32_t>(); });
    }
    fuzz::require(bytes == file.data().size());

    std::string again = header_bytes(file.layout());
    again.append(reinterpret_cast<const char*>(file.data().data()), file.data().size());
    try {
      const safetensors_file copy(std::as_bytes(std::span(again)), "copy");
      fuzz::require(header_text(copy.layout()) == header_text(file.layout()));
    } catch (const std::runtime_error&) {
      fuzz::require(false);
    }
  });
  return 0;
}
