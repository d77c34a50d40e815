#include "golden/manifest.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A folder with a golden set of one case, removed at the end.
class one_case_set {
public:
  explicit one_case_set(const std::string& output_entry, const std::string& format = "2") {
    fs::create_directories(folder);
    const std::vector<double> x{1.0, 2.0};
    const std::vector<std::int64_t> labels{3, 4};
    const std::vector<double> loss{0.5};
    dalib::io::write_safetensors(folder / "g.safetensors", {dalib::io::make_tensor("in.x", {1, 2}, std::span<const double>(x)),
                                                            dalib::io::make_tensor("in.y", {2}, std::span<const std::int64_t>(labels)),
                                                            dalib::io::make_tensor("c.loss", {}, std::span<const double>(loss))});
    std::ofstream(folder / "manifest.json") << R"({"format":)" << format << R"(,"seed":1,"reference":"none","weight_prefix":"p.","cases":[
      {"name":"c","group":"g","method":"m","params":{"alpha":0.5},
       "inputs":[{"name":"x","shape":[1,2],"tensor":"in.x"},{"name":"y","shape":[2],"dtype":"int64","tensor":"in.y"}],
       "outputs":[)" << output_entry << R"(]}],"files":{"g":"g.safetensors"}})";
  }
  one_case_set(const one_case_set&) = delete;
  one_case_set& operator=(const one_case_set&) = delete;
  ~one_case_set() { fs::remove_all(folder); }

  fs::path folder = fs::temp_directory_path() / ("dalib_manifest_" + std::to_string(::getpid()));
};

std::string problem_of(const std::string& output_entry) {
  const one_case_set files(output_entry);
  try {
    golden::golden_set(files.folder).cases("g");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

} // namespace

TEST_CASE("a case is read with its tensors, tolerances and parameters") {
  const one_case_set files(R"({"name":"loss","shape":[],"tol64":1e-10,"tol32":1e-5,"value":0.5,"compare":"relative","tensor":"c.loss"})");
  const golden::golden_set set(files.folder);
  REQUIRE(set.groups() == std::vector<std::string>{"g"});
  CHECK(set.case_count("g") == 1);
  const golden::test_case test = set.cases("g").at(0);
  CHECK(test.method == "m");
  CHECK(test.weight_prefix == "p.");
  CHECK(test.param<double>("alpha") == 0.5);
  CHECK(test.input("x").at(0, 1) == 2.0);
  CHECK(test.input("y").integers() == std::vector<std::int64_t>{3, 4});
  REQUIRE(test.outputs.size() == 1);
  CHECK(test.outputs[0].relative);
  CHECK(test.outputs[0].want.values == std::vector<double>{0.5});
  CHECK(test.outputs[0].tol32 == 1e-5);
  CHECK_THROWS_WITH_AS(test.input("z"), "the case has no input z", std::runtime_error);
}

TEST_CASE("a set that could hide an error is refused with the case's name") {
  CHECK(problem_of("").find("case c: no outputs") != std::string::npos);
  CHECK(problem_of(R"({"name":"loss","shape":[1],"tol64":1,"tol32":1,"tensor":"c.loss"})").find("the manifest says [1]") !=
        std::string::npos);
  CHECK(problem_of(R"({"name":"loss","shape":[],"tol64":0,"tol32":1,"tensor":"c.loss"})").find("no valid tolerance") != std::string::npos);
  CHECK(problem_of(R"({"name":"loss","shape":[],"tol64":1,"tol32":1,"compare":"maybe","tensor":"c.loss"})")
            .find("unknown comparison maybe") != std::string::npos);
  CHECK(problem_of(R"({"name":"loss","shape":[],"tol64":1,"tol32":1,"tensor":"c.lost"})").find("no tensor 'c.lost'") != std::string::npos);
  CHECK(problem_of(R"({"name":"loss","shape":[],"tol32":1,"tensor":"c.loss"})").find("tol64") != std::string::npos);
}

TEST_CASE("a missing folder and an unknown format are refused with the file's name") {
  CHECK_THROWS_WITH_AS(golden::golden_set("/nowhere"), "/nowhere/manifest.json: cannot open", std::runtime_error);
  const one_case_set files(R"({"name":"loss","shape":[],"tol64":1,"tol32":1,"tensor":"c.loss"})", "3");
  CHECK_THROWS_AS(golden::golden_set{files.folder}, std::runtime_error);
}
