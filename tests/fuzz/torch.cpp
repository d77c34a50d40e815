#include "input.hpp"
#include "io/torch_file.hpp"

using namespace dalib::io;

// A file that is accepted has tensors whose numbers are there. The input is also read as the pickle alone: guessing checksums is not the
// fuzzer's job.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    for (const tensor_view& tensor : parse_torch(fuzz::as_input(data, size), "input")) {
      fuzz::require(byte_count(tensor.type, tensor.shape) == tensor.bytes.size());
      fuzz::require(tensor.values<double>().size() == tensor.size());
    }
  });
  fuzz::allow_refusal([&] {
    const pickle contents = pickle_reader(fuzz::as_input(data, size), "input").read();
    fuzz::require(contents.root < contents.objects.size() && contents.objects.size() <= size);
    for (const pickle_object& object : contents.objects)
      for (const std::size_t item : object.items) fuzz::require(item < contents.objects.size());
  });
  return 0;
}
