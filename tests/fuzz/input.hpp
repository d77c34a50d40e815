#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>

/// What the fuzz targets share. Input is refused by std::runtime_error only; every other exception, and a broken promise, is a finding.
namespace fuzz {

inline std::span<const std::byte> as_input(const std::uint8_t* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

/// Runs a reader; a refusal is fine.
template <class Call>
void allow_refusal(Call call) {
  try {
    call();
  } catch (const std::runtime_error&) {
  }
}

/// Stops the fuzzer if a promise of the reader does not hold.
inline void require(bool promise) {
  if (!promise) std::abort();
}

} // namespace fuzz
