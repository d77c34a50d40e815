// A sample from a file: .npy, .csv with or without a header, .safetensors.
#include "sample.hpp"

#include "../io/file_error.hpp"
#include "../io/mapped_file.hpp"
#include "../io/npy.hpp"
#include "../io/safetensors.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::compare {

namespace {

std::string trimmed(std::string_view field) {
  constexpr std::string_view space = " \t\r";
  const std::size_t first = field.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return std::string(field.substr(first, field.find_last_not_of(space) - first + 1));
}

/// What separates the fields of a line: a comma, a semicolon or a tab, whichever it has, or spaces.
char separator_of(std::string_view line) {
  for (const char separator : {',', ';', '\t'})
    if (line.find(separator) != std::string_view::npos) return separator;
  return ' ';
}

/// Fields of a line. A field in double quotes may have separators in it, and a quote as two.
std::vector<std::string> fields_of(std::string_view line) {
  const char separator = separator_of(line);
  std::vector<std::string> fields;
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool quote = line[i] == '"';
    if (quote && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      field += line[i++];
    } else if (quote && (quoted || trimmed(field).empty())) {
      quoted = !quoted;
    } else if (line[i] == separator && !quoted) {
      if (separator != ' ' || !trimmed(field).empty()) fields.push_back(trimmed(field)); // several spaces are one
      field.clear();
    } else {
      field += line[i];
    }
  }
  if (separator != ' ' || !trimmed(field).empty()) fields.push_back(trimmed(field));
  return fields;
}

/// A field as a message shows it: short, and without what a terminal would not print.
std::string shown(const std::string& field) {
  constexpr std::size_t most = 40;
  std::string result = field.substr(0, most);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  return result + (field.size() > most ? "..." : "");
}

bool read_number(const std::string& field, double& value) {
  const char* end = field.data() + field.size();
  const auto result = std::from_chars(field.data() + (field.starts_with('+') ? 1 : 0), end, value);
  return result.ec == std::errc{} && result.ptr == end;
}

/// Numbers line by line. A first line in which no field is a number is a header. Throws std::runtime_error "FILE:LINE: column N ...".
void read_csv(std::string_view text, loaded_sample& to, std::vector<double>& values, std::size_t& columns) {
  std::size_t number = 0;
  const auto fail = [&](const std::string& what) { io::fail_file(to.name + ":" + std::to_string(number), what); };
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    if (trimmed(line).empty()) continue;
    const std::vector<std::string> fields = fields_of(line);
    std::vector<double> row(fields.size());
    std::size_t read = 0, first_text = fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (read_number(fields[i], row[i]))
        ++read;
      else if (fields[i].empty())
        row[i] = std::nan(""); // a missing value
      else if (first_text == fields.size())
        first_text = i;
    }
    if (columns == 0 && to.features.empty() && read == 0) {
      to.features = fields;
      continue;
    }
    const std::size_t wanted = columns != 0 ? columns : to.features.empty() ? fields.size() : to.features.size();
    if (fields.size() != wanted) fail("has " + std::to_string(fields.size()) + " fields, the lines before have " + std::to_string(wanted));
    if (first_text != fields.size())
      fail("column " + std::to_string(first_text + 1) + (to.features.empty() ? "" : " (" + shown(to.features[first_text]) + ")") +
           " is not a number: '" + shown(fields[first_text]) + "'");
    columns = wanted;
    values.insert(values.end(), row.begin(), row.end());
  }
}

/// A tensor of rank 2 or more as rows x all else.
void read_tensor(const io::tensor_view& tensor, std::vector<double>& values, std::size_t& columns, const std::string& file) {
  if (tensor.shape.empty() || tensor.shape[0] < 1 || tensor.size() == 0)
    io::fail_file(file, "holds no rows: its shape is " + io::to_string(tensor.shape));
  values = tensor.values<double>();
  columns = values.size() / static_cast<std::size_t>(tensor.shape[0]);
}

} // namespace

loaded_sample read_sample(const std::string& argument) {
  loaded_sample result;
  std::filesystem::path path = argument;
  std::string tensor;
  if (const std::size_t at = argument.rfind(".safetensors:"); at != std::string::npos) {
    path = argument.substr(0, at + 12);
    tensor = argument.substr(at + 13);
  }
  result.name = path.string();
  std::vector<double> values;
  std::size_t columns = 0;
  const std::string extension = path.extension().string();
  if (extension == ".npy") {
    const io::npy_file file(path);
    read_tensor(file.array(), values, columns, result.name);
  } else if (extension == ".safetensors") {
    const io::safetensors_file file(path);
    const io::tensor_view* chosen = tensor.empty() ? nullptr : &file.at(tensor);
    if (!chosen)
      for (const io::tensor_view& one : file.tensors()) {
        if (one.shape.size() < 2) continue;
        if (chosen) io::fail_file(result.name, "holds several tables: say which as FILE:NAME, such as :" + one.name);
        chosen = &one;
      }
    if (!chosen) io::fail_file(result.name, "holds no table");
    read_tensor(*chosen, values, columns, result.name);
  } else if (extension == ".csv" || extension == ".txt" || extension == ".tsv") {
    const io::mapped_file file(path);
    const std::span<const std::byte> bytes = file.bytes();
    read_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, result, values, columns);
  } else {
    io::fail_file(result.name, "is of an unknown kind: .npy, .csv, .txt, .tsv and .safetensors are read");
  }
  if (columns == 0) io::fail_file(result.name, "holds no rows");
  const std::size_t rows = values.size() / columns;
  result.rows.resize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
  Eigen::Index kept = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const Eigen::Map<const Eigen::RowVectorXd> row(values.data() + i * columns, static_cast<Eigen::Index>(columns));
    if (row.allFinite())
      result.rows.row(kept++) = row;
    else
      result.left_out.push_back(i + 1);
  }
  result.rows.conservativeResize(kept, Eigen::NoChange);
  return result;
}

} // namespace dalib::compare
