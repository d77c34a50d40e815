#include "io/checkpoint.hpp"
#include "input.hpp"
#include "io/random.hpp"

using namespace dalib::io;

namespace {

struct state {
  std::vector<float> weights = std::vector<float>(2);
  double mean = 0;
  random_generator random;

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("w", {2}, weights);
    visitor("m", {}, std::span<double>(&mean, 1));
    random.visit_state(scoped(visitor, "r."));
  }
};

} // namespace

// The input as it is, and again with the right checksum put in: guessing that is not the fuzzer's job.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::allow_refusal([&] { checkpoint(fuzz::as_input(data, size), "input"); });
  fuzz::allow_refusal([&] {
    const safetensors_file file(fuzz::as_input(data, size), "input");
    safetensors_layout layout = file.layout();
    layout.metadata["crc32"] = detail::to_hex(detail::extend_crc32(detail::header_crc32(layout), file.data()));
    std::string sealed = header_bytes(layout);
    sealed.append(reinterpret_cast<const char*>(file.data().data()), file.data().size());
    state restored;
    checkpoint(std::as_bytes(std::span(sealed)), "sealed").restore(restored);
  });
  return 0;
}
