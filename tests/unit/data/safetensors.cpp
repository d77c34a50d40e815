#include "io/safetensors.hpp"
#include "files.hpp"

#include <doctest/doctest.h>

using namespace dalib::io;
using namespace file_tests;

namespace {

std::string assemble(const std::string& header, const std::string& data) { return raw<std::uint64_t>({header.size()}) + header + data; }

std::string parse_error(const std::string& bytes) {
  return error_of([&] { safetensors_file(as_bytes(bytes), "weights"); });
}

/// Error of a file with this header and so many bytes of data.
std::string header_error(const std::string& header, std::size_t data_size = 0) {
  return parse_error(assemble(header, std::string(data_size, '\x01')));
}

const std::string good_header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                R"("b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}   )";

} // namespace

TEST_CASE("a file of another writer, with padding, a scalar, an empty tensor and any order of entries") {
  const std::string bytes = assemble(R"({"b":{"data_offsets":[8,9],"dtype":"U8","shape":[]},"none":{"dtype":"F64","shape":[0,3],)"
                                     R"("data_offsets":[8,8]},"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}  )",
                                     raw<std::uint16_t>({0x3F80, 0xBF80, 0x4000, 0}) + "\x07");
  const safetensors_file file(as_bytes(bytes), "weights");
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "a");
  CHECK(file.at("a").shape == tensor_shape{2, 2});
  CHECK(file.at("a").values<float>() == std::vector<float>{1, -1, 2, 0});
  CHECK(file.at("b").values<std::int64_t>() == std::vector<std::int64_t>{7});
  CHECK(file.at("none").values<double>().empty());
  CHECK(file.find("c") == nullptr);
  CHECK(error_of([&] { file.at("c"); }) == "weights: has no tensor 'c'");
  CHECK(file.metadata().empty());
}

TEST_CASE("what is written is read, after a move too") {
  temporary_folder folder;
  const std::vector<float> weights{1.5F, -2, 3, 4, 5, 6};
  const std::vector<double> doubles{0.1};
  const std::vector<std::int64_t> integers{-7, 8};
  const std::vector<std::uint8_t> bytes{1, 2, 3};
  const std::map<std::string, std::string> metadata{{"note", "quotes \" and \\ and \xC3\xA9"}};
  write_safetensors(folder / "file",
                    {make_tensor<std::uint8_t>("bytes", {3}, bytes), make_tensor<float>("layer.weight", {2, 3}, weights),
                     make_tensor<double>("strange \" name", {}, doubles), make_tensor<std::int64_t>("i", {2}, integers)},
                    metadata);
  safetensors_file opened(folder / "file");
  const safetensors_file file = std::move(opened);
  CHECK(file.at("layer.weight").values<float>() == weights);
  CHECK(file.at("layer.weight").shape == tensor_shape{2, 3});
  CHECK(file.at("strange \" name").values<double>() == doubles);
  CHECK(file.at("i").values<std::int64_t>() == integers);
  CHECK(file.at("bytes").values<std::uint8_t>() == bytes);
  CHECK(file.metadata() == metadata);
  for (const tensor_view& tensor : file.tensors()) { // aligned for every reader that needs it
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % info(tensor.type).size == 0);
  }
}

TEST_CASE("a file without tensors") {
  temporary_folder folder;
  write_safetensors(folder / "empty", {});
  CHECK(safetensors_file(folder / "empty").tensors().empty());
}

TEST_CASE("every cut is an error that names the file") {
  const std::string whole = assemble(good_header, std::string(9, 'x'));
  CHECK(parse_error(whole).empty());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(contains(parse_error(whole.substr(0, length)), "weights: "));
  }
}

TEST_CASE("header sizes that lie") {
  CHECK(contains(parse_error(raw<std::uint64_t>({~std::uint64_t{0}}) + "{}"), "announces a header"));
  CHECK(contains(parse_error(raw<std::uint64_t>({3}) + "{}"), "announces a header of 3 bytes, but only 2 follow"));
  CHECK(contains(parse_error(raw<std::uint64_t>({1}) + "{}"), "not valid JSON"));
  CHECK(contains(parse_error(raw<std::uint64_t>({0}) + "{}"), "does not start with '{'"));
  CHECK(contains(parse_error(raw<std::uint64_t>({safetensors_header_limit + 1}) + "{}"), "at most 100000000"));
}

TEST_CASE("headers that are not what the format says") {
  const auto tensor = [](const std::string& entries) { return "{\"a\":{" + entries + "}}"; };
  CHECK(contains(header_error(" {}"), "does not start with '{'"));
  CHECK(contains(header_error("[]"), "does not start with '{'"));
  CHECK(contains(header_error("{} x"), "not valid JSON"));
  CHECK(contains(header_error(std::string("{}\0x", 4)), "zero byte"));
  CHECK(contains(header_error("{\"a\xFF\":1}"), "not valid JSON"));
  CHECK(contains(header_error(R"({"a":1})"), "a number stands"));
  CHECK(contains(header_error(R"({"a":null})"), "null stands"));
  CHECK(contains(header_error(R"({"a":"b"})"), "a string stands"));
  CHECK(contains(header_error(R"({"a":[]})"), "an array stands"));
  CHECK(contains(header_error(R"({"__metadata__":{"a":1}})"), "a number stands"));
  CHECK(contains(header_error(R"({"__metadata__":{"a":{}}})"), "an object stands"));
  CHECK(contains(header_error(R"({"__metadata__":"text"})"), "a string stands"));
  CHECK(contains(header_error(R"({"__metadata__":{"a":"1","a":"1"}})"), "metadata entry 'a' appears twice"));
  CHECK(contains(header_error(R"({"__metadata__":{},"__metadata__":{}})"), "'__metadata__' appears twice"));
  CHECK(contains(header_error(tensor("")), "missing"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[2])")), "missing"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[0],"data_offsets":[0])")), "missing"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[0],"data_offsets":[0,0,0])")), "more than two"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0])")), "'dtype' appears twice"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[0],"data_offsets":[0,0],"x":0)")), "unknown entry 'x'"));
  CHECK(contains(header_error(tensor(R"("dtype":"C64","shape":[0],"data_offsets":[0,0])")), "tensor 'a': unsupported dtype 'C64'"));
  CHECK(contains(header_error(tensor(R"("dtype":["F32"],"shape":[0],"data_offsets":[0,0])")), "an array stands"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[[0]],"data_offsets":[0,0])")), "an array stands"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[-1],"data_offsets":[0,0])")), "a negative number stands"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"), 4), "a fraction stands"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[1e999],"data_offsets":[0,4])"), 4), "not valid JSON"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])"), 4), "too large"));
  CHECK(contains(header_error(tensor(R"("dtype":"F32","shape":["2"],"data_offsets":[0,8])"), 8), "a string stands"));
  CHECK(contains(header_error("{" + std::string(100'000, '[')), "not valid JSON"));
  CHECK(contains(header_error(R"({"a":)" + std::string(100'000, '[')), "an array stands"));
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  CHECK(contains(header_error(tensor(R"("dtype":"U8","shape":[)" + ones + R"(],"data_offsets":[0,1])"), 1), "more than 64 dimensions"));
}

TEST_CASE("offsets and shapes that do not fit") {
  const auto two = [](const std::string& first, const std::string& second, std::size_t size) {
    return header_error(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first + R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" +
                            second + "}}",
                        size);
  };
  CHECK(two("[0,4]", "[4,8]", 8).empty());
  CHECK(two("[4,8]", "[0,4]", 8).empty());
  CHECK(contains(two("[0,4]", "[3,7]", 7), "tensor 'b': data_offsets [3, 7] overlap"));
  CHECK(contains(two("[0,4]", "[0,4]", 4), "overlap"));
  CHECK(contains(two("[0,4]", "[5,9]", 9), "leave a hole"));
  CHECK(contains(two("[1,5]", "[5,9]", 9), "tensor 'a': data_offsets [1, 5] leave a hole"));
  CHECK(contains(two("[0,4]", "[4,8]", 9), "1 bytes after the last tensor"));
  CHECK(contains(two("[0,4]", "[4,8]", 7), "lie outside the 7 bytes of data"));
  CHECK(contains(two("[0,4]", "[8,4]", 8), "lie outside"));
  CHECK(contains(two("[0,4]", "[4,18446744073709551615]", 8), "lie outside"));
  CHECK(contains(two("[0,5]", "[5,9]", 9), "tensor 'a': data_offsets [0, 5] do not fit shape [4] of U8"));
  CHECK(contains(header_error(R"({"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"), "do not fit shape"));
  CHECK(contains(
      header_error(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2),
      "tensor 'a' appears twice"));
}

TEST_CASE("a flipped bit never does worse than an error") {
  const std::string whole = assemble(good_header, std::string(9, 'x'));
  int refused = 0;
  for (std::size_t bit = 0; bit < (8 + good_header.size()) * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    refused += !parse_error(damaged).empty();
  }
  CHECK(refused > 800);
}

TEST_CASE("the writer refuses what it could not read") {
  temporary_folder folder;
  const std::vector<float> values{1, 2};
  const auto write = [&](std::vector<tensor_view> tensors) {
    return error_of<std::invalid_argument>([&] { write_safetensors(folder / "file", tensors); });
  };
  CHECK(contains(write({make_tensor<float>("a", {3}, values)}), "tensor 'a' of shape [3] has 8 bytes"));
  CHECK(contains(write({make_tensor<float>("a", {-2}, values)}), "impossible shape [-2]"));
  CHECK(contains(write({make_tensor<float>("a", {2}, values), make_tensor<float>("a", {2}, values)}), "appears twice"));
  CHECK(contains(write({make_tensor<float>("__metadata__", {2}, values)}), "reserved"));
  CHECK(fs::is_empty(folder.path()));
}
