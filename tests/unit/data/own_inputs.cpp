#include "data/labelled_list.hpp"
#include "data/nearest.hpp"
#include "data/number_table.hpp"
#include "files.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace dalib;
using namespace file_tests;

namespace {

data::number_table table_of(const std::string& text, const data::table_options& options = {}) {
  return data::parse_table(text, "t.csv", options);
}
std::string table_error(const std::string& text, const data::table_options& options = {}) {
  return error_of([&] { table_of(text, options); });
}
data::labelled_list list_of(const std::string& text) { return data::parse_labelled_list(text, "l.txt", "root"); }

} // namespace

TEST_CASE("tables: separators, quotes, byte order mark, line ends, missing values") {
  const auto table = table_of("\xEF\xBB\xBFlabel;\"a \"\"b\"\"\";c\r\n\"one;\ntwo\";1;\r\n x ;+2e3;-0.5");
  CHECK(table.columns == std::vector<std::string>{"a \"b\"", "c"});
  CHECK(table.labels == std::vector<std::string>{"one;\ntwo", "x"});
  CHECK(table.values(0, 0) == 1);
  CHECK(std::isnan(table.values(0, 1)));
  CHECK(table.values(1, 0) == 2000);
  CHECK(table.values(1, 1) == -0.5);
  CHECK(table.lines == std::vector<std::size_t>{2, 4});
  CHECK(table_of("a\tb\n1\tNA\n").labels.empty());
}

TEST_CASE("tables: what is wrong is said with its line and column") {
  CHECK(contains(table_error("a,b\n1,2\n3,heavy\n"), "t.csv:3: column 'b' holds 'heavy', which is not a number"));
  CHECK(contains(table_error("a,b\n1,inf\n"), "t.csv:2: column 'b' holds 'inf'"));
  CHECK(contains(table_error("a,b\n1\n"), "t.csv:2: has 1 fields, the first line has 2"));
  CHECK(contains(table_error("a,a\n1,2\n"), "t.csv:1: has two columns 'a'"));
  CHECK(contains(table_error("a,\n1,2\n"), "t.csv:1: column 2 has no name"));
  CHECK(contains(table_error("a,b\n\"1,2\n"), "t.csv:2: has a quote that is not closed"));
  CHECK(contains(table_error("label,a\n,2\n"), "t.csv:2: has no class in column 'label'"));
  CHECK(contains(table_error("date,a\n1,2\n", {"label", {"dat"}}), "has no column 'dat' to ignore; did you mean 'date'?"));
  CHECK(contains(table_error("label\nx\n"), "has no column of numbers"));
  CHECK(contains(table_error("a,b\n"), "t.csv: has no rows"));
  CHECK(contains(table_error(""), "t.csv: is empty"));
  CHECK(table_of("date,a\nMonday,2\n", {"label", {"date"}}).columns == std::vector<std::string>{"a"});
}

TEST_CASE("lists: labels are words, paths may contain spaces, labels are on all lines or none") {
  const auto list = list_of("a b.jpg dog\n# a remark\n\n/c.png\tcat\n");
  CHECK(list.paths[0] == "root/a b.jpg");
  CHECK(list.labels == std::vector<std::string>{"dog", "cat"});
  CHECK(list_of("a b.jpg\nc.JPEG\n").labels.empty());
  const auto error = [](const std::string& text) { return error_of([&] { list_of(text); }); };
  CHECK(contains(error("a.jpg dog\nb.jpg\n"), "l.txt:2: has no class, lines before it have one"));
  CHECK(contains(error("a.jpg\nb.jpg dog\n"), "l.txt:2: has a class, lines before it have none"));
  CHECK(contains(error("notes.txt\n"), "l.txt:1: expected the path of an image"));
  CHECK(contains(error("\n"), "l.txt: lists no images"));
}

TEST_CASE("the nearest word: swaps, gaps and letters count; nothing where nothing is near") {
  CHECK(data::edit_distance("mnits", "mnist") == 1);
  CHECK(data::edit_distance("kitten", "sitting") == 3);
  CHECK(data::nearest("iteration", {"iterations", "image"}) == "iterations");
  CHECK(data::nearest("x", {"mnist", "optdigits"}).empty());
}
