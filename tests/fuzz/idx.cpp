#include "data/idx.hpp"
#include "input.hpp"

// An array that is accepted has as many values as its sizes say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    constexpr std::uint64_t limit = std::uint64_t{1} << 24;
    const dalib::data::idx_array array = dalib::data::parse_idx(fuzz::as_input(data, size), "input", limit);
    std::size_t product = 1;
    for (const std::size_t length : array.sizes) product *= length;
    fuzz::require(product == array.values.size() && product <= limit);
  });
  return 0;
}
