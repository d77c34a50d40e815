#include "image/decode.hpp"
#include "image/resample.hpp"
#include "input.hpp"

// An image that is accepted has the pixels that its size says, no more than allowed, and can be resized.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] {
    constexpr std::size_t limit = std::size_t{1} << 18;
    const dalib::image::rgb_image decoded = dalib::image::decode(fuzz::as_input(data, size), "input", limit);
    fuzz::require(decoded.width > 0 && decoded.height > 0);
    fuzz::require(decoded.pixels.size() == static_cast<std::size_t>(3 * decoded.width * decoded.height) &&
                  decoded.pixels.size() <= 3 * limit);
    fuzz::require(dalib::image::resize(decoded, 7, 5).pixels.size() == 3 * 7 * 5);
  });
  return 0;
}
