/// Turns the examples in the documentation of headers into one program that runs them, or says what is missing in them.
#include "page_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace documentation;

constexpr const char* usage = "Usage: examples_to_program --check INCLUDE_DIR HEADER ...\n"
                              "       examples_to_program OUTPUT.cpp INCLUDE_DIR HEADER ...\n"
                              "       examples_to_program --page OUTPUT.cpp PAGE.md NUMBER\n"
                              "--page: the page's block of that number, from 0, as a program; what has no main() becomes one.\n"
                              "Headers are named as in #include. --check: exit status 1, and a line for each, if something is missing.\n";

header read(const std::filesystem::path& folder, const std::string& name) {
  std::ifstream stream(folder / name);
  if (!stream) throw std::runtime_error((folder / name).string() + ": cannot open");
  return read_header(stream);
}

int check(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::size_t types = 0, examples = 0, missing = 0;
  for (const std::string& name : names) {
    const header h = read(folder, name);
    types += h.types.size();
    examples += h.examples.size();
    for (const std::string& finding : findings(h)) {
      std::printf("%s: %s\n", name.c_str(), finding.c_str());
      ++missing;
    }
  }
  std::printf("%zu headers, %zu public types, %zu examples, %zu findings\n", names.size(), types, examples, missing);
  return missing == 0 && types > 0 ? 0 : 1;
}

/// Number of leading lines that stand outside of functions: the types that an example begins with, each up to its `};`.
std::size_t declaration_lines(const example& one) {
  const auto begins_type = [](const std::string& line) {
    return line.starts_with("struct ") || line.starts_with("class ") || line.starts_with("template ");
  };
  std::size_t end = 0;
  while (end < one.code.size() && begins_type(one.code[end])) {
    while (end < one.code.size() && one.code[end] != "};") ++end;
    ++end;
  }
  return std::min(end, one.code.size());
}

void write_lines(std::ofstream& out, const std::string& name, const example& one, std::size_t first, std::size_t last) {
  if (first == last) return;
  out << "#line " << one.line + first << " \"" << name << "\"\n";
  for (std::size_t i = first; i < last; ++i) out << one.code[i] << "\n";
}

/// Each example is a function; error messages and failed asserts name the header's line.
void write_program(const std::filesystem::path& output, const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::ofstream out(output);
  out << "// Examples of the documentation; generated, do not edit.\n#undef NDEBUG\n#include <cassert>\n\n";
  for (const std::string& name : names) out << "#include <" << name << ">\n";
  out << "\n#include <dalib/dalib.hpp>\n\n#include <algorithm>\n#include <array>\n#include <cmath>\n#include <cstdio>\n#include <limits>\n"
         "#include <span>\n#include <stdexcept>\n#include <string>\n#include <tuple>\n#include <type_traits>\n#include <vector>\n\n"
         "using namespace dalib;\n\n";
  std::string calls;
  std::size_t count = 0;
  for (const std::string& name : names)
    for (const example& one : read(folder, name).examples) {
      const std::string place = "example_" + std::to_string(++count);
      const std::size_t declarations = declaration_lines(one);
      write_lines(out, name, one, 0, declarations);
      out << "static void " << place << "() {\n";
      write_lines(out, name, one, declarations, one.code.size());
      out << "}\n\n";
      calls += "  std::puts(\"" + name + ":" + std::to_string(one.line) + "\");\n  " + place + "();\n";
    }
  out << "int main() {\n" << calls << "}\n";
  out.close();
  if (!out) throw std::runtime_error(output.string() + ": cannot write");
}

/// A block with a main is the program; of another one, what cannot stand in a function goes before main.
void write_page_program(const std::filesystem::path& output, const std::filesystem::path& page, std::size_t number) {
  std::ifstream stream(page);
  if (!stream) throw std::runtime_error(page.string() + ": cannot open");
  const block one = read_page(stream).at(number);
  std::ofstream out(output);
  out << "// A block of a page; generated, do not edit.\n#undef NDEBUG\n";
  if (one.excused) {
    out << "int main() {}\n";
  } else if (one.has("int main(")) {
    for (const std::string& line : one.before) out << line << "\n";
    write_lines(out, page.string(), one.code, 0, one.code.code.size());
  } else {
    const auto outside = [](const std::string& line) { return line.starts_with("#") || line.starts_with("using namespace "); };
    for (const auto* lines : {&one.before, &one.code.code})
      for (const std::string& line : *lines)
        if (outside(line)) out << line << "\n";
    out << "int main() {\n";
    for (const std::string& line : one.before)
      if (!outside(line)) out << line << "\n";
    example inside = one.code;
    for (std::string& line : inside.code)
      if (outside(line)) line.clear();
    write_lines(out, page.string(), inside, 0, inside.code.size());
    out << "}\n";
  }
  out.close();
  if (!out) throw std::runtime_error(output.string() + ": cannot write");
}

} // namespace

int main(int argument_count, char** arguments) {
  const std::vector<std::string> given(arguments + 1, arguments + argument_count);
  if (given.size() < 3) {
    std::fputs(usage, stderr);
    return 2;
  }
  try {
    if (given[0] == "--page" && given.size() == 4) {
      write_page_program(given[1], given[2], std::stoul(given[3]));
      return 0;
    }
    const std::vector<std::string> headers(given.begin() + 2, given.end());
    if (given[0] == "--check") return check(given[1], headers);
    write_program(given[0], given[1], headers);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "examples_to_program: %s\n", error.what());
    return 1;
  }
}
