#pragma once
// Tables of numbers with a column of classes: CSV files.

#include "../../io/file_error.hpp"
#include "../../io/mapped_file.hpp"
#include "nearest.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace dalib::data {

/// A table as a CSV file holds it.
struct number_table {
  using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  std::vector<std::string> columns; ///< names of the columns of `values`
  matrix values;                    ///< one row per line of the file; NaN where a value is missing
  std::vector<std::string> labels;  ///< one per row; empty where the table has no label column
  std::vector<std::size_t> lines;   ///< of the file, one per row
};

/// How a table is read.
struct table_options {
  std::string label = "label";      ///< name of the column of classes, where there is one
  std::vector<std::string> ignored; ///< columns that are no features
};

namespace detail {

/// Whether a field says that its value is not known.
inline bool is_missing(std::string_view field) {
  std::string text(field);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> words{"", "na", "n/a", "nan", "null", "?"};
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// Splits CSV text (RFC 4180) into records: fields may stand in double quotes, in which separators, line ends and doubled quotes are text.
class csv_splitter {
public:
  csv_splitter(std::string_view text, std::filesystem::path name) : rest_(text), name_(std::move(name)) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    choose_separator();
  }

  /// The next record that is not empty; false at the end. Throws std::runtime_error "NAME:LINE: ..." for quotes that do not fit.
  bool next(std::vector<std::string>& fields) {
    do {
      if (rest_.empty()) return false;
      line_ = next_line_;
      read_record(fields);
    } while (fields.size() == 1 && fields[0].empty());
    return true;
  }

  /// Line of the file on which the latest record began.
  std::size_t line() const { return line_; }
  [[noreturn]] void fail(const std::string& what) const { io::fail_file(name_.string() + ":" + std::to_string(line_), what); }

private:
  /// Comma, semicolon or tab: the one that the first line has most of.
  void choose_separator() {
    const std::string_view header = rest_.substr(0, rest_.find('\n'));
    std::ptrdiff_t most = 0;
    for (const char candidate : {',', ';', '\t'}) {
      const auto count = std::count(header.begin(), header.end(), candidate);
      if (count <= most) continue;
      most = count;
      separator_ = candidate;
    }
  }

  void read_record(std::vector<std::string>& fields) {
    fields.clear();
    bool more = true;
    while (more) {
      std::string field = read_field();
      more = !rest_.empty() && rest_.front() == separator_;
      if (more) rest_.remove_prefix(1);
      fields.push_back(std::move(field));
    }
    if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
    if (rest_.empty()) return;
    if (rest_.front() != '\n') fail("has text behind a closing quote");
    rest_.remove_prefix(1);
    ++next_line_;
  }

  std::string read_field() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (rest_.starts_with('"')) return read_quoted();
    const std::size_t end = std::min(rest_.find_first_of(std::string_view(ends_with_separator().data(), 2)), rest_.size());
    std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    constexpr std::string_view space = " \t\r";
    field = field.substr(0, field.find_last_not_of(space) + 1);
    return std::string(field);
  }

  std::array<char, 2> ends_with_separator() const { return {separator_, '\n'}; }

  std::string read_quoted() {
    rest_.remove_prefix(1);
    std::string field;
    while (true) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) fail("has a quote that is not closed");
      next_line_ += static_cast<std::size_t>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
      field += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('"')) break;
      field += '"';
      rest_.remove_prefix(1);
    }
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    return field;
  }

  std::string_view rest_;
  std::filesystem::path name_;
  char separator_ = ',';
  std::size_t line_ = 1, next_line_ = 1;
};

/// What the columns of a header are for.
struct table_columns {
  std::vector<std::size_t> features; ///< places of the columns with numbers
  std::size_t label;                 ///< place of the label's; npos: none
};

inline table_columns choose_columns(const std::vector<std::string>& header, const table_options& options, const csv_splitter& csv) {
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (place(header[i]) != i) csv.fail("has two columns '" + header[i] + "'");
    if (header[i].empty()) csv.fail("column " + std::to_string(i + 1) + " has no name: the first line must name all columns");
  }
  for (const std::string& name : options.ignored)
    if (place(name) == header.size()) csv.fail("has no column '" + name + "' to ignore" + did_you_mean(name, header));
  table_columns result{{}, place(options.label) < header.size() ? place(options.label) : std::string::npos};
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool ignored = std::find(options.ignored.begin(), options.ignored.end(), header[i]) != options.ignored.end();
    if (i != result.label && !ignored) result.features.push_back(i);
  }
  if (result.features.empty()) csv.fail("has no column of numbers");
  return result;
}

/// The number of a field, NaN where it is missing.
inline double number_of(const std::string& field, const std::string& column, const csv_splitter& csv) {
  if (is_missing(field)) return std::numeric_limits<double>::quiet_NaN();
  const char* const first = field.data() + (field.front() == '+' ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(first, field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size() || !std::isfinite(value) || std::abs(value) > 1e30)
    csv.fail("column '" + column + "' holds '" + field.substr(0, 50) + "', which is not a number (--ignore-columns leaves columns out)");
  return value;
}

} // namespace detail

/// Parses a CSV table whose first line names the columns: one of classes, all others of numbers.
///
/// The separator is comma, semicolon or tab. Empty fields, NA, N/A, NaN, null and ? are missing values.
/// Throws std::runtime_error "NAME:LINE: ..." for a column without a name or with the name of another, one to ignore that is not there, no
/// column of numbers, text in a column of numbers, a line with another number of fields, a class that is empty, and "NAME: ..." for a table
/// without rows. O(size of the text).
inline number_table parse_table(std::string_view text, const std::filesystem::path& name, const table_options& options) {
  if (text.find('\0') != std::string_view::npos) io::fail_file(name, "holds a zero byte, it is not a table of text");
  detail::csv_splitter csv(text, name);
  std::vector<std::string> header, fields;
  if (!csv.next(header)) io::fail_file(name, "is empty");
  const detail::table_columns chosen = detail::choose_columns(header, options, csv);

  number_table table;
  for (const std::size_t c : chosen.features) table.columns.push_back(header[c]);
  std::vector<double> values;
  while (csv.next(fields)) {
    if (fields.size() != header.size())
      csv.fail("has " + std::to_string(fields.size()) + " fields, the first line has " + std::to_string(header.size()));
    for (const std::size_t c : chosen.features) values.push_back(detail::number_of(fields[c], header[c], csv));
    if (chosen.label != std::string::npos) {
      if (fields[chosen.label].empty()) csv.fail("has no class in column '" + options.label + "'");
      table.labels.push_back(fields[chosen.label]);
    }
    table.lines.push_back(csv.line());
  }
  if (table.lines.empty()) io::fail_file(name, "has no rows below the names of the columns");
  table.values = Eigen::Map<const number_table::matrix>(values.data(), static_cast<Eigen::Index>(table.lines.size()),
                                                        static_cast<Eigen::Index>(table.columns.size()));
  return table;
}

/// The same from a file; std::runtime_error if it cannot be opened.
inline number_table read_table(const std::filesystem::path& path, const table_options& options) {
  const io::mapped_file file(path);
  return parse_table({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path, options);
}

} // namespace dalib::data
