#include "report/csv.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace dalib::report;

namespace {

/// A path in the folder for temporary files that is removed in the end.
struct temporary_path {
  std::filesystem::path path = std::filesystem::temp_directory_path() / joined("dalib_csv_", std::to_string(::getpid()), ".csv");
  temporary_path() { std::filesystem::remove(path); }
  temporary_path(const temporary_path&) = delete;
  temporary_path& operator=(const temporary_path&) = delete;
  ~temporary_path() { std::filesystem::remove(path); }

  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
};

const std::vector<std::string> names{"iteration", "loss", "accuracy"};

} // namespace

TEST_CASE("rows are in the file as soon as append returns, and read back exactly") {
  temporary_path file;
  csv_log log(file.path, names);
  CHECK(file.text() == "iteration,loss,accuracy\n");
  log.append({100, 0.1 + 0.2, 50});
  CHECK(file.text() == "iteration,loss,accuracy\n100,0.30000000000000004,50\n");
  log.append({200, std::nan(""), -std::numeric_limits<double>::infinity()});
  const csv_data data = read_csv(file.path);
  CHECK(data.names == names);
  REQUIRE(data.rows.size() == 2);
  CHECK(data.column("loss")[0] == 0.1 + 0.2);
  CHECK(std::isnan(data.column("loss")[1]));
  CHECK(data.column("accuracy")[1] == -std::numeric_limits<double>::infinity());
  CHECK(data.column("iteration") == std::vector<double>{100, 200});
  CHECK_THROWS_AS(data.column("nothing"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(log.append({1}), "csv_log::append: 1 values for 3 columns", std::invalid_argument);
}

TEST_CASE("resume drops rows behind the checkpoint and a line that a kill cut off") {
  temporary_path file;
  file.write("iteration,loss,accuracy\n100,1,10\n200,0.5,20\n300,0.25,30\n400,0.1");
  {
    csv_log log(file.path, names, 200);
    CHECK(file.text() == "iteration,loss,accuracy\n100,1,10\n200,0.5,20\n");
    CHECK(log.data().rows.size() == 2);
    log.append({300, 0.3, 33});
  }
  CHECK(file.text() == "iteration,loss,accuracy\n100,1,10\n200,0.5,20\n300,0.3,33\n");
  { csv_log fresh(file.path, names); }
  CHECK(file.text() == "iteration,loss,accuracy\n");
}

TEST_CASE("resuming after a cut at any byte gives the same file as never having stopped") {
  temporary_path file;
  const std::string whole = "iteration,loss,accuracy\n100,1.5,10\n200,0.5,20.25\n";
  const std::size_t header = names[0].size() + names[1].size() + names[2].size() + 3;
  for (std::size_t length = header; length <= whole.size(); ++length) {
    file.write(whole.substr(0, length));
    const std::size_t kept = length < header + 11 ? 0 : length < whole.size() ? 1 : 2;
    csv_log log(file.path, names, 1000);
    REQUIRE(log.data().rows.size() == kept);
    if (kept < 1) log.append({100, 1.5, 10});
    if (kept < 2) log.append({200, 0.5, 20.25});
    CHECK(file.text() == whole);
  }
}

TEST_CASE("a missing file starts a new record, a foreign or damaged one is an error that names it") {
  temporary_path file;
  { csv_log log(file.path, names, 500); }
  CHECK(file.text() == "iteration,loss,accuracy\n");

  const auto message = [&](const std::string& text) {
    file.write(text);
    try {
      csv_log log(file.path, names, 500);
    } catch (const std::runtime_error& error) {
      CHECK(file.text() == text); // left as it was
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string path = file.path.string();
  CHECK(message("iteration,loss\n1,2\n") == path + ": has the columns iteration,loss and is not the record of this run");
  CHECK(message("iteration,loss,accuracy\n1,2,3\n1,2\n") == path + ": line 3 has 2 fields, the header has 3");
  CHECK(message("iteration,loss,accuracy\n1,2x,3\n") == path + ": line 2 has a field that is not a number: '2x'");
  CHECK(message("iteration,loss,accuracy\n1,,3\n") == path + ": line 2 has a field that is not a number: ''");
  CHECK(message("") == path + ": has no header line");
  CHECK(message(std::string(100000, 'x')) == path + ": has no header line");
  CHECK(message(std::string(100000, ',') + "\n").size() < 400 + path.size());
}

TEST_CASE("column names and folders are checked at once") {
  CHECK_THROWS_AS(csv_log("x.csv", {}), std::invalid_argument);
  CHECK_THROWS_AS(csv_log("x.csv", {"a,b"}), std::invalid_argument);
  CHECK_THROWS_AS(csv_log("x.csv", {"a\n"}), std::invalid_argument);
  CHECK_THROWS_AS(csv_log("/nonexistent-folder/x.csv", names), std::runtime_error);
  CHECK_THROWS_AS(read_csv("/nonexistent-folder/x.csv"), std::runtime_error);
}
