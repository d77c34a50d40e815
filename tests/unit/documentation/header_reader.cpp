/// What the check of the documentation finds, and what it lets pass.
#include "documentation/header_reader.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace documentation;

std::vector<std::string> findings_in(const std::string& text) {
  std::istringstream stream("namespace dalib {\n" + text + "} // namespace dalib\n");
  return findings(read_header(stream));
}

bool has(const std::vector<std::string>& found, const std::string& part) {
  return std::any_of(found.begin(), found.end(), [&](const std::string& f) { return f.find(part) != std::string::npos; });
}

const std::string example_of_thing = "/// A thing.\n///\n/// @code{.cpp}\n/// assert(thing{}.size == 0);\n/// @endcode\n";

TEST_CASE("a type with an example that checks something is complete") {
  CHECK(findings_in(example_of_thing + "struct thing {\n};\n").empty());
  CHECK(findings_in(example_of_thing + "template <class T, class U,\n          int N = 1>\nrequires true\nclass thing {\n};\n").empty());
  CHECK(findings_in(example_of_thing + "template <class T>\nclass thing;\n").empty());
}

TEST_CASE("a type without an example is found") {
  for (const char* declaration :
       {"struct thing {\n", "class thing {\n", "template <class T>\nconcept thing = true;\n", "enum class thing {\n"})
    CHECK(has(findings_in(std::string("/// A thing.\n") + declaration), "no example of this header uses the type thing"));
  CHECK(has(findings_in(example_of_thing + "struct things {\n};\n"), "uses the type things"));
  CHECK(has(findings_in("/// @code{.cpp}\n/// assert(true); // thing\n/// @endcode\nstruct thing {\n};\n"), "uses the type thing"));
}

TEST_CASE("a type without documentation is found, also below a documented one") {
  CHECK(has(findings_in(example_of_thing + "struct other {\n};\nstruct thing {\n};\n"), "the type thing has no documentation"));
}

TEST_CASE("an example that checks nothing and broken markup are found") {
  CHECK(has(findings_in("/// @code{.cpp}\n/// thing t;\n/// @endcode\nstruct thing {\n};\n"), "line 3: the example checks nothing"));
  CHECK(has(findings_in("/// @code\n/// assert(thing{});\n/// @endcode\nstruct thing {\n};\n"), "starts with @code{.cpp}"));
  CHECK(has(findings_in("/// @code{.cpp}\n/// assert(thing{});\nstruct thing {\n};\n"), "no @endcode"));
}

TEST_CASE("internal types, specialisations and announcements need nothing") {
  CHECK(findings_in("namespace detail {\nstruct thing {\n};\n} // namespace detail\n").empty());
  CHECK(findings_in("/// @internal\n/// A thing.\nstruct thing {\n};\n").empty());
  CHECK(findings_in("template <>\nstruct thing<int> {\n};\nstruct other;\n").empty());
}

TEST_CASE("names are read with their namespaces and the first sentence of their documentation") {
  std::istringstream stream("namespace dalib {\n"
                            "/// A kernel (Long et al. 2015). More of it.\nstruct thing {\n};\n\n"
                            "namespace bandwidth {\n\n/// A rule,\n/// over two lines:\n///\n/// a formula\ntemplate <class T>\n"
                            "double width(const T& x);\n/// Another form.\ndouble width(int x);\n\n} // namespace bandwidth\n\n"
                            "/// Sum of two.\ntemplate <class A>\nauto operator+(A a, A b) {\n}\n"
                            "/// A short name.\nusing short_name = thing;\nvoid undocumented();\n"
                            "/// @internal\n/// Not for users.\nvoid inside();\nnamespace detail {\n/// Hidden.\nvoid hidden();\n"
                            "} // namespace detail\n} // namespace dalib\n");
  std::string found;
  for (const public_name& one : read_header(stream).names) found += one.kind + " " + one.name + ": " + one.summary + "\n";
  CHECK(found == "type thing: A kernel (Long et al. 2015).\nfunction bandwidth::width: A rule, over two lines\n"
                 "function operator+: Sum of two.\nalias short_name: A short name.\n");
}

TEST_CASE("an example is read with its lines") {
  std::istringstream stream(example_of_thing);
  const header h = read_header(stream);
  REQUIRE(h.examples.size() == 1);
  CHECK(h.examples[0].line == 4);
  CHECK(h.examples[0].code == std::vector<std::string>{"assert(thing{}.size == 0);"});
}

} // namespace
