#include "io/npy.hpp"
#include "input.hpp"

// An array that is accepted has as many elements as its shape says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    const dalib::io::tensor_view array = dalib::io::parse_npy(fuzz::as_input(data, size), "input");
    fuzz::require(dalib::io::byte_count(array.type, array.shape) == array.bytes.size());
    fuzz::require(array.values<double>().size() == array.size());
  });
  return 0;
}
