#include "data/idx.hpp"
#include "files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace dalib::data;
using namespace file_tests;

namespace {

/// IDX header of unsigned bytes.
std::string header(std::initializer_list<std::uint32_t> sizes) {
  std::string text{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xFF);
  }
  return text;
}

std::string idx_error(const std::string& bytes, std::uint64_t limit = idx_default_limit) {
  return error_of([&] { parse_idx(as_bytes(bytes), "digits.gz", limit); });
}

} // namespace

TEST_CASE("plain and gzip'ed files give the same values") {
  temporary_folder folder;
  const std::string text = header({2, 1, 3}) + std::string("\x01\x02\x03\xFF\x00\x06", 6);
  write_bytes(folder / "plain", text);
  write_bytes(folder / "zipped.gz", gzip(text));
  for (const auto& path : {folder / "plain", folder / "zipped.gz"}) {
    const idx_array array = read_idx(path);
    CHECK(array.sizes == std::vector<std::size_t>{2, 1, 3});
    CHECK(array.values == std::vector<std::uint8_t>{1, 2, 3, 255, 0, 6});
  }
}

TEST_CASE("data longer than one block") {
  const std::string values(3'000'001, '\x05');
  const idx_array array = parse_idx(as_bytes(gzip(header({3'000'001}) + values)), "long.gz");
  CHECK(array.values == std::vector<std::uint8_t>(values.begin(), values.end()));
}

TEST_CASE("every cut is an error that names the file") {
  const std::string text = header({2, 3}) + "abcdef";
  for (const std::string& whole : {text, gzip(text)}) {
    CHECK(idx_error(whole).empty());
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      CHECK(contains(idx_error(whole.substr(0, length)), "digits.gz: "));
    }
  }
}

TEST_CASE("a flipped bit of a gzip stream is found or harmless") {
  const std::string text = header({4, 5}) + "abcdefghijklmnopqrst";
  const std::string whole = gzip(text);
  const std::vector<std::uint8_t> values(text.begin() + 12, text.end());
  int found = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    idx_array array;
    if (error_of([&] { array = parse_idx(as_bytes(damaged), "damaged"); }).empty())
      CHECK(array.values == values);
    else
      ++found;
  }
  // Harmless are only the time stamp and three other fields of the gzip header, and the padding after the last code.
  CHECK(found >= static_cast<int>(whole.size() * 8) - 64);
}

TEST_CASE("wrong contents are named") {
  CHECK(contains(idx_error("PK\x03\x04 archive"), "is not an IDX file"));
  CHECK(contains(idx_error(std::string("\0\0\x0D\x01\0\0\0\x01\0\0\0\0", 12)), "element type 13"));
  CHECK(contains(idx_error(std::string("\0\0\x08\0", 4)), "0 dimensions"));
  CHECK(contains(idx_error(std::string("\0\0\x08\xFF", 4)), "255 dimensions"));
  CHECK(contains(idx_error(header({0, 28, 28})), "size 0"));
  CHECK(contains(idx_error(header({2}) + "abc"), "more data than its header announces"));
  CHECK(contains(idx_error(gzip(header({2}) + "abc")), "more data than its header announces"));
  CHECK(contains(idx_error(gzip(header({2}) + "ab") + "x"), "after the end of the gzip stream"));
  CHECK(contains(idx_error(gzip(header({2}) + "ab") + gzip("more")), "after the end of the gzip stream"));

  std::string wrong_checksum = gzip(header({2}) + "ab");
  wrong_checksum[wrong_checksum.size() - 8] = static_cast<char>(~wrong_checksum[wrong_checksum.size() - 8]);
  CHECK(contains(idx_error(wrong_checksum), "incorrect data check"));
}

TEST_CASE("huge sizes are refused without allocating them") {
  CHECK(contains(idx_error(header({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF})), "announces more than the allowed"));
  CHECK(contains(idx_error(header({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 2, 2, 2, 2})), "announces more than the allowed"));
  CHECK(contains(idx_error(header({11}) + "hello world", 10), "announces more than the allowed 10 values"));
  // Within the limit, but the file is tiny: stops at the first missing block.
  CHECK(contains(idx_error(gzip(header({1U << 30}) + "ab")), "cut off inside the data"));
}

TEST_CASE("files that cannot be read") {
  temporary_folder folder;
  CHECK(contains(error_of([&] { read_idx(folder / "absent"); }), "absent: cannot open: No such file"));
  CHECK(contains(error_of([&] { read_idx(folder.path()); }), "is not a regular file"));
  write_bytes(folder / "empty", "");
  CHECK(contains(error_of([&] { read_idx(folder / "empty"); }), "empty: is cut off inside the IDX magic number"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { read_idx(folder / "pipe"); }), "is not a regular file"));
}
