/// Writes the reference: every public concept, type and function of the given headers, one line each.
#include "header_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace documentation;

constexpr const char* usage = "Usage: reference_page OUTPUT.md INCLUDE_DIR HEADER ...\n"
                              "Headers are named as in #include; the page links to them as its neighbours in INCLUDE_DIR/dalib.\n";

/// What each folder is for, in the order in which a user meets them; other folders follow by name.
const std::vector<std::pair<std::string, std::string>> folders{
    {"measure", "Losses: what is called in a training loop"},
    {"inference", "Tests and what they rest on"},
    {"kernel", "Kernels, what they are made of, and their bandwidths"},
    {"kernel_selection", "Choosing kernels"},
    {"engine", "All pairs of rows: kernel matrices, visitors of your own, machines"},
    {"model_selection", "Scores of a model without target labels"},
    {"estimator", "Which pairs count, and with which weight"},
    {"reduction", "From values per sample to a loss"},
    {"execution", "Where and how it runs"},
    {"tensor", "Tensor types"},
    {"core", "What the parts talk with"},
    {"", "Concepts and configuration"},
    {"compat", "The numbers of DALIB's code"},
    {"simd", "Packs of numbers: what a kernel of your own sees"},
};

std::string folder_of(const std::string& header) {
  const std::filesystem::path inside = std::filesystem::path(header).lexically_relative("dalib").parent_path();
  return inside.empty() ? std::string() : inside.begin()->string();
}

/// Text in a cell of a table, where code stays as it is.
std::string cell(const std::string& text) {
  std::string result;
  bool in_code = false;
  for (const char c : text) {
    if (c == '`') in_code = !in_code;
    if (c == '|' || (!in_code && (c == '<' || c == '*' || c == '_'))) result += '\\';
    result += c;
  }
  return result;
}

struct entry {
  public_name what;
  std::string header;
};

void write_folder(std::ofstream& out, const std::string& title, std::vector<entry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) { return a.what.name < b.what.name; });
  out << "\n## " << title << "\n| | | |\n|---|---|---|\n";
  for (const entry& one : entries) {
    const std::string link = std::filesystem::path(one.header).lexically_relative("dalib").generic_string();
    out << "| [`" << one.what.name << "`](" << link << ") | " << one.what.kind << " | " << cell(one.what.summary) << " |\n";
  }
}

void write_page(const std::filesystem::path& output, const std::filesystem::path& include, const std::vector<std::string>& headers) {
  std::map<std::string, std::vector<entry>> found;
  for (const std::string& name : headers) {
    std::ifstream stream(include / name);
    if (!stream) throw std::runtime_error((include / name).string() + ": cannot open");
    for (public_name& one : read_header(stream).names) found[folder_of(name)].push_back({std::move(one), name});
  }
  std::ofstream out(output);
  out << "# Reference\n"
         "Every concept, type and function that a user may name, by folder, with the first sentence of its documentation: formulas, "
         "shapes,\n"
         "defaults, errors and an example stand in the header that it links to. Names are in the namespace `dalib`.\n\n"
         "This page is made from the headers (`cmake --build build --target reference_page`); a test compares them. The whole "
         "documentation "
         "as\n"
         "HTML: `cmake --build build --target reference` (needs doxygen), then open `build/reference/html/index.html`.\n";
  for (const auto& [folder, title] : folders)
    if (const auto entries = found.extract(folder))
      write_folder(out, title + (folder.empty() ? "" : " (`" + folder + "/`)"), entries.mapped());
  for (const auto& [folder, entries] : found) write_folder(out, "`" + folder + "/`", entries);
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
    write_page(given[0], given[1], {given.begin() + 2, given.end()});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference_page: %s\n", error.what());
    return 1;
  }
}
