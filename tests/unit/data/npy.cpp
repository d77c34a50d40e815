#include "io/npy.hpp"
#include "files.hpp"

#include <doctest/doctest.h>

using namespace dalib::io;
using namespace file_tests;

namespace {

/// Version 1 file of this dictionary.
std::string assemble(const std::string& dictionary, const std::string& data) {
  return "\x93NUMPY" + std::string("\x01\x00", 2) + raw<std::uint16_t>({static_cast<std::uint16_t>(dictionary.size())}) + dictionary + data;
}

std::string npy_error(const std::string& bytes) {
  return error_of([&] { parse_npy(as_bytes(bytes), "features.npy"); });
}

std::string header_error(const std::string& dictionary) { return npy_error(assemble(dictionary, std::string(8, '\0'))); }

} // namespace

TEST_CASE("what is written is read") {
  temporary_folder folder;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  const std::vector<double> doubles{0.1, -3};
  const std::vector<std::int64_t> integers{-5};
  write_npy<float>(folder / "f", {2, 3}, floats);
  write_npy<double>(folder / "d", {2}, doubles);
  write_npy<std::int64_t>(folder / "i", {}, integers);
  write_npy<float>(folder / "none", {0, 4}, {});

  npy_file opened(folder / "f");
  const npy_file file = std::move(opened);
  CHECK(file.array().shape == tensor_shape{2, 3});
  CHECK(file.array().values<float>() == floats);
  CHECK(file.array().values<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(npy_file(folder / "d").array().values<double>() == doubles);
  CHECK(npy_file(folder / "i").array().shape.empty());
  CHECK(npy_file(folder / "i").array().values<std::int64_t>() == integers);
  CHECK(npy_file(folder / "none").array().shape == tensor_shape{0, 4});
}

TEST_CASE("the written bytes are what the format says") {
  temporary_folder folder;
  write_npy<float>(folder / "f", {2}, std::vector<float>{1, 2});
  const std::string bytes = read_bytes(folder / "f");
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, 59) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }  ");
  CHECK(bytes[127] == '\n');
  CHECK(bytes.substr(128) == raw<float>({1, 2}));
}

TEST_CASE("headers as NumPy writes them, versions 1 to 3, any order and spacing") {
  const std::string data = raw<double>({1, 2, 3, 4});
  for (const std::string dictionary :
       {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }          \n", "{'shape':(2,2),'fortran_order':False,'descr':'<f8'}"}) {
    CHECK(parse_npy(as_bytes(assemble(dictionary, data)), "x").shape == tensor_shape{2, 2});
    for (const char version : {'\x02', '\x03'}) {
      const std::string bytes = "\x93NUMPY" + std::string{version, '\0'} +
                                raw<std::uint32_t>({static_cast<std::uint32_t>(dictionary.size())}) + dictionary + data;
      CHECK(parse_npy(as_bytes(bytes), "x").values<double>() == std::vector<double>{1, 2, 3, 4});
    }
  }
}

TEST_CASE("every cut is an error that names the file") {
  const std::string whole = assemble("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", raw<float>({1, 2}));
  CHECK(npy_error(whole).empty());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK(contains(npy_error(whole.substr(0, length)), "features.npy: "));
  }
  CHECK(contains(npy_error(whole + "x"), "holds 9 bytes of data, which does not fit shape [2]"));
}

TEST_CASE("wrong headers are named") {
  CHECK(contains(npy_error("PK\x03\x04"), "wrong magic number"));
  CHECK(contains(npy_error("\x93NUMPY\x04" + std::string(10, '\0')), "unknown .npy version 4"));
  CHECK(contains(header_error("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}"), "element type '>f8'"));
  CHECK(contains(header_error("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"), "element type '|O'"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': True, 'shape': (1,)}"), "Fortran order"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}"), "must be True or False"));
  CHECK(contains(header_error("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}"), "damaged header"));
  CHECK(contains(header_error("{'descr': '<f8', 'shape': (1,)}"), "lacks"));
  CHECK(contains(header_error("{}"), "lacks"));
  CHECK(contains(header_error("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"), "repeated header entry 'descr'"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}"), "entry 'more'"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x"), "text after"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "bad size"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (1 2)}"), "')' expected"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "bad size"));
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296)}"), "does not fit"));
  CHECK(contains(header_error("{'descr': '<f8"), "a string does not end"));
  std::string ones;
  for (int i = 0; i < 33; ++i) ones += "1,";
  CHECK(contains(header_error("{'descr': '<f8', 'fortran_order': False, 'shape': (" + ones + ")}"), "more than 32 dimensions"));
}

TEST_CASE("the writer refuses a shape that does not fit") {
  temporary_folder folder;
  const std::vector<float> values{1, 2, 3};
  CHECK_THROWS_AS(write_npy<float>(folder / "x", {2}, values), std::invalid_argument);
  CHECK_THROWS_AS(write_npy<float>(folder / "x", {-3}, values), std::invalid_argument);
  CHECK(contains(error_of([&] { write_npy<float>(folder / "absent/x", {3}, values); }), "cannot create: No such file"));
}
