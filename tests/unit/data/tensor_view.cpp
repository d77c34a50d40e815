#include "io/tensor_view.hpp"
#include "files.hpp"

#include <bit>
#include <cmath>
#include <doctest/doctest.h>
#include <cstdint>
#include <limits>

using namespace dalib::io;
using namespace file_tests;

TEST_CASE("byte counts of shapes") {
  CHECK(byte_count(dtype::f64, {}) == 8);
  CHECK(byte_count(dtype::f32, {2, 3}) == 24);
  CHECK(byte_count(dtype::bf16, {5}) == 10);
  CHECK(byte_count(dtype::u8, {3, 0, 7}) == 0);
  CHECK_FALSE(byte_count(dtype::u8, {-1}).has_value());
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  CHECK(byte_count(dtype::u8, {largest}) == static_cast<std::uint64_t>(largest));
  CHECK_FALSE(byte_count(dtype::f32, {largest}).has_value());
  CHECK_FALSE(byte_count(dtype::u8, {std::int64_t{1} << 32, std::int64_t{1} << 32}).has_value());
  CHECK_FALSE(byte_count(dtype::u8, {0, largest, largest}).has_value());
}

TEST_CASE("every dtype is found under its name") {
  for (const dtype_info& entry : dtype_table) {
    CHECK(find_dtype(entry.name) == entry.type);
    CHECK(&info(entry.type) == &entry);
  }
  CHECK_FALSE(find_dtype("F8_E4M3").has_value());
}

TEST_CASE("half precision") {
  CHECK(half_to_float(0x0000) == 0.F);
  CHECK(std::bit_cast<std::uint32_t>(half_to_float(0x8000)) == 0x80000000U); // -0
  CHECK(half_to_float(0x3C00) == 1.F);
  CHECK(half_to_float(0xC000) == -2.F);
  CHECK(half_to_float(0x3555) == 0x1.554p-2F); // nearest to 1/3
  CHECK(half_to_float(0x7BFF) == 65504.F);
  CHECK(half_to_float(0x0400) == 0x1p-14F);      // smallest normal number
  CHECK(half_to_float(0x0001) == 0x1p-24F);      // smallest subnormal number
  CHECK(half_to_float(0x83FF) == -0x1.FF8p-15F); // largest subnormal number
  CHECK(half_to_float(0x7C00) == std::numeric_limits<float>::infinity());
  CHECK(half_to_float(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half_to_float(0x7E00)));
  // Strictly increasing over all finite positive numbers.
  bool increasing = true;
  for (unsigned bits = 1; bits < 0x7C00; ++bits) {
    increasing = increasing && half_to_float(static_cast<std::uint16_t>(bits)) > half_to_float(static_cast<std::uint16_t>(bits - 1));
  }
  CHECK(increasing);
}

TEST_CASE("bfloat16") {
  CHECK(bfloat16_to_float(0x3F80) == 1.F);
  CHECK(bfloat16_to_float(0xC040) == -3.F);
  CHECK(std::isnan(bfloat16_to_float(0x7FC0)));
}

TEST_CASE("conversion of elements") {
  const std::string bytes = "x" + raw<std::int64_t>({-1, 3, 300}); // deliberately not aligned
  const tensor_view view{"labels", dtype::i64, {3}, as_bytes(bytes).subspan(1)};
  CHECK(view.values<std::int64_t>() == std::vector<std::int64_t>{-1, 3, 300});
  CHECK(view.values<std::int32_t>() == std::vector<std::int32_t>{-1, 3, 300});
  CHECK(view.values<double>() == std::vector<double>{-1, 3, 300});
  CHECK(error_of([&] { view.values<std::uint64_t>(); }) == "tensor 'labels' holds -1, which does not fit the wanted type");

  const std::string floats = raw<double>({0.1, -2});
  const tensor_view wide{"w", dtype::f64, {2}, as_bytes(floats)};
  CHECK(wide.values<float>() == std::vector<float>{0.1F, -2});
  CHECK(error_of([&] { wide.values<std::int64_t>(); }) == "tensor 'w' holds F64, expected an integer type");
  std::vector<float> room(3);
  CHECK_THROWS_AS(wide.copy_to(std::span(room)), std::invalid_argument);
}
