#include "../data/files.hpp"
#include "io/torch_file.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using namespace file_tests;

namespace {

const fs::path folder = DALIB_TORCH_DIR;

std::string text_of(const std::string& name) { return read_bytes(folder / name); }
std::string parse_error(const std::string& bytes) {
  return error_of([&] { io::parse_torch(as_bytes(bytes), "w.pth"); });
}

} // namespace

TEST_CASE("torch files: the tensors of a state_dict with their names, types and shapes") {
  const io::torch_file file(folder / "state.pth");
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "w");
  CHECK(file.tensors()[0].shape == io::tensor_shape{2, 3});
  CHECK(file.tensors()[0].values<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.tensors()[1].name == "n");
  CHECK(file.tensors()[1].values<std::int64_t>() == std::vector<std::int64_t>{7});
}

TEST_CASE("torch files: names that could run code are refused by name, and nothing is made of them") {
  CHECK(contains(error_of([] { io::torch_file(folder / "code.pth"); }),
                 "code.pth: holds the Python object 'os.system', which could run code"));
  CHECK(contains(error_of([] { io::torch_file(folder / "class.pth"); }), "class.pth: holds the pickle instruction NEWOBJ"));
}

TEST_CASE("torch files: every cut and every damaged number is refused by a sentence with the file's name") {
  const std::string whole = text_of("state.pth");
  for (std::size_t size = 0; size < whole.size(); size += 7) CHECK(parse_error(whole.substr(0, size)).starts_with("w.pth: "));
  CHECK(contains(parse_error(whole.substr(0, whole.size() / 2)), "is cut off"));
  std::string damaged = whole;
  damaged[damaged.find(std::string("\0\0\x80\x3f", 4)) + 1] = 'x';
  CHECK(contains(parse_error(damaged), "is damaged: it has another checksum"));
  CHECK(contains(parse_error("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), "format before 1.6"));
}
