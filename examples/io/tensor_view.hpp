#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dalib::io {

static_assert(std::endian::native == std::endian::little, "dalib::io: the file formats are little-endian and are read in place");

/// Element types of tensors in files.
enum class dtype { f64, f32, f16, bf16, i64, i32, u64, u8 };

/// Name in safetensors files and size in bytes of an element type.
struct dtype_info {
  dtype type;
  std::string_view name;
  std::size_t size;
};

/// All element types, in the order of the enumeration.
inline constexpr std::array<dtype_info, 8> dtype_table{{
    {dtype::f64, "F64", 8},
    {dtype::f32, "F32", 4},
    {dtype::f16, "F16", 2},
    {dtype::bf16, "BF16", 2},
    {dtype::i64, "I64", 8},
    {dtype::i32, "I32", 4},
    {dtype::u64, "U64", 8},
    {dtype::u8, "U8", 1},
}};

/// Name and size of an element type.
constexpr const dtype_info& info(dtype type) { return dtype_table[static_cast<std::size_t>(type)]; }

/// Element type of that name, if there is one.
constexpr std::optional<dtype> find_dtype(std::string_view name) {
  for (const dtype_info& entry : dtype_table) {
    if (entry.name == name) return entry.type;
  }
  return std::nullopt;
}

/// A C++ type that is stored in files as it is.
template <class T>
concept storable = std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::int64_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::uint64_t> || std::same_as<T, std::uint8_t>;

/// Element type under which T is stored.
template <storable T>
constexpr dtype dtype_of() {
  if constexpr (std::same_as<T, double>) return dtype::f64;
  if constexpr (std::same_as<T, float>) return dtype::f32;
  if constexpr (std::same_as<T, std::int64_t>) return dtype::i64;
  if constexpr (std::same_as<T, std::int32_t>) return dtype::i32;
  if constexpr (std::same_as<T, std::uint64_t>) return dtype::u64;
  if constexpr (std::same_as<T, std::uint8_t>) return dtype::u8;
}

/// Sizes of the dimensions; empty for a scalar.
using tensor_shape = std::vector<std::int64_t>;

/// The shape as "[2, 3]".
inline std::string to_string(const tensor_shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

/// Bytes that a tensor takes; nothing if a size is negative or the count does not fit 63 bits.
inline std::optional<std::uint64_t> byte_count(dtype type, const tensor_shape& shape) {
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = info(type).size;
  bool overflow = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    // A later 0 makes the tensor empty, but sizes whose product overflows are refused all the same.
    const auto factor = static_cast<std::uint64_t>(size);
    overflow = overflow || (factor != 0 && bytes > largest / factor);
    bytes = overflow ? 0 : bytes * std::max<std::uint64_t>(factor, 1);
  }
  if (overflow) return std::nullopt;
  return std::find(shape.begin(), shape.end(), 0) == shape.end() ? bytes : 0;
}

/// IEEE half precision to single precision; exact.
inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t mantissa = half & 0x3FFU;
  if (exponent == 0) {
    // By its bits: there is a -0 too, which flags such as -ffast-math do not know.
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24F));
  }
  const std::uint32_t wide_exponent = exponent == 0x1F ? 0xFFU : exponent + 112;
  return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

/// bfloat16 to single precision; exact.
inline float bfloat16_to_float(std::uint16_t value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16); }

/// A named tensor that lies in a file's bytes, row-major, not necessarily aligned.
///
/// Owns its name and shape but not the bytes: it is valid as long as what holds the file. Made by the readers, which guarantee that the
/// number of bytes fits type and shape.
struct tensor_view {
  std::string name;
  dtype type = dtype::f32;
  tensor_shape shape;
  std::span<const std::byte> bytes;

  /// Number of elements.
  std::size_t size() const { return bytes.size() / info(type).size; }

  /// Copies all elements, converted to T, into the caller's memory.
  ///
  /// Floating T takes every element type (rounded to nearest where T is narrower). Integer T takes integer element types only.
  /// Throws std::invalid_argument if `target` has another size than the tensor, std::runtime_error if an element does not fit T.
  template <storable T>
  void copy_to(std::span<T> target) const {
    if (target.size() != size()) {
      throw std::invalid_argument("tensor '" + name + "' of shape " + to_string(shape) + " copied to room for " +
                                  std::to_string(target.size()) + " elements");
    }
    switch (type) {
    case dtype::f64:
      return convert<double>(target, [](double x) { return x; });
    case dtype::f32:
      return convert<float>(target, [](float x) { return x; });
    case dtype::f16:
      return convert<std::uint16_t>(target, half_to_float);
    case dtype::bf16:
      return convert<std::uint16_t>(target, bfloat16_to_float);
    case dtype::i64:
      return convert<std::int64_t>(target, [](std::int64_t x) { return x; });
    case dtype::i32:
      return convert<std::int32_t>(target, [](std::int32_t x) { return x; });
    case dtype::u64:
      return convert<std::uint64_t>(target, [](std::uint64_t x) { return x; });
    case dtype::u8:
      return convert<std::uint8_t>(target, [](std::uint8_t x) { return x; });
    }
  }

  /// All elements converted to T.
  template <storable T>
  std::vector<T> values() const {
    std::vector<T> result(size());
    copy_to(std::span<T>(result));
    return result;
  }

private:
  // Element by element through memcpy, because nothing promises alignment; compilers make it a plain load.
  template <class Stored, class T, class Decode>
  void convert(std::span<T> target, Decode decode) const {
    for (std::size_t i = 0; i < target.size(); ++i) {
      Stored stored;
      std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
      target[i] = to<T>(decode(stored));
    }
  }

  template <class T, class Value>
  T to(Value value) const {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(value);
    else if constexpr (std::is_floating_point_v<Value>)
      throw std::runtime_error("tensor '" + name + "' holds " + std::string(info(type).name) + ", expected an integer type");
    else if (std::in_range<T>(value))
      return static_cast<T>(value);
    else
      throw std::runtime_error("tensor '" + name + "' holds " + std::to_string(value) + ", which does not fit the wanted type");
  }
};

} // namespace dalib::io
