#pragma once
// Numbers of a training run as comma-separated values that survive a kill.

#include "../../io/atomic_file.hpp"
#include "../../io/mapped_file.hpp"
#include "text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace dalib::report {

/// A table of numbers with named columns.
struct csv_data {
  std::vector<std::string> names;        ///< from the header line
  std::vector<std::vector<double>> rows; ///< each as long as `names`

  /// The values of one column from top to bottom. Throws std::invalid_argument if there is no such column.
  std::vector<double> column(std::string_view name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) throw std::invalid_argument(joined("csv_data::column: there is no column '", name, "'"));
    std::vector<double> values;
    for (const auto& row : rows) values.push_back(row[static_cast<std::size_t>(found - names.begin())]);
    return values;
  }
};

namespace detail {

/// The parts of a line between separators, one more than there are separators.
inline std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

/// One line of the file, numbers so that they read back exactly.
inline std::string csv_line(const std::vector<double>& row) {
  std::string line;
  for (const double value : row) line += joined(line.empty() ? "" : ",", exact(value));
  return line + "\n";
}

/// The first line of the file.
inline std::string csv_header(const std::vector<std::string>& names) {
  std::string line;
  for (const std::string& name : names) line += joined(line.empty() ? "" : ",", name);
  return line + "\n";
}

} // namespace detail

/// Reads a file of numbers with a header line. A last line without its line break is what a killed writer left: it is ignored. Throws
/// std::runtime_error naming the file, and the line where a row has a field that is no number or another number of fields than the header.
inline csv_data read_csv(const std::filesystem::path& path) {
  const io::mapped_file file(path);
  std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  csv_data data;
  for (std::size_t line_number = 1;; ++line_number) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const auto fields = detail::split(rest.substr(0, end), ',');
    rest.remove_prefix(end + 1);
    if (line_number == 1) {
      data.names.assign(fields.begin(), fields.end());
      continue;
    }
    const std::string where = joined("line ", std::to_string(line_number), " ");
    if (fields.size() != data.names.size())
      io::fail_file(path,
                    joined(where, "has ", std::to_string(fields.size()), " fields, the header has ", std::to_string(data.names.size())));
    std::vector<double> row;
    for (const std::string_view field : fields) {
      double value = 0;
      const auto result = std::from_chars(field.data(), field.data() + field.size(), value);
      if (result.ec != std::errc{} || result.ptr != field.data() + field.size())
        io::fail_file(path, joined(where, "has a field that is not a number: '", field.substr(0, 40), "'"));
      row.push_back(value);
    }
    data.rows.push_back(std::move(row));
  }
  if (data.names.empty()) io::fail_file(path, "has no header line");
  return data;
}

/// The growing record of one training run: one row per epoch, the first column counts iterations.
/// @code
/// csv_log log("out/history.csv", {"iteration", "loss", "accuracy"});        // a new run
/// log.append({100, 0.71, 64.5});
/// csv_log resumed("out/history.csv", {"iteration", "loss", "accuracy"}, 100); // after a checkpoint of iteration 100
/// @endcode
/// Each row is on disk, whole, when `append` returns; a kill leaves at most a last line without its line break, which is dropped on resume.
/// Only one object may write a file at a time.
class csv_log {
public:
  /// Starts an empty record with these columns, in place of a file that may be there.
  csv_log(std::filesystem::path path, std::vector<std::string> names) : path_(std::move(path)) {
    check_names(names);
    data_.names = std::move(names);
    rewrite();
  }

  /// Goes on with a record after a checkpoint: rows of iterations behind `last_iteration` are removed, because they will be written again.
  /// A missing file starts an empty record. Throws std::runtime_error naming the file if it has other columns or is damaged.
  csv_log(std::filesystem::path path, std::vector<std::string> names, double last_iteration) : path_(std::move(path)) {
    check_names(names);
    if (std::filesystem::exists(path_)) {
      data_ = read_csv(path_);
      if (data_.names != names) {
        const std::string found = detail::csv_header(data_.names).substr(0, 200);
        io::fail_file(path_, joined("has the columns ", found.substr(0, found.find('\n')), " and is not the record of this run"));
      }
      const auto behind = [&](const std::vector<double>& row) { return !(row.front() <= last_iteration); };
      data_.rows.erase(std::remove_if(data_.rows.begin(), data_.rows.end(), behind), data_.rows.end());
    }
    data_.names = std::move(names);
    rewrite();
  }

  csv_log(const csv_log&) = delete;
  csv_log& operator=(const csv_log&) = delete;
  ~csv_log() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Adds a row. Throws std::invalid_argument for a wrong number of values, std::runtime_error if the disk refuses; then the file is as
  /// before.
  void append(const std::vector<double>& row) {
    if (row.size() != data_.names.size())
      throw std::invalid_argument(
          joined("csv_log::append: ", std::to_string(row.size()), " values for ", std::to_string(data_.names.size()), " columns"));
    const std::string line = detail::csv_line(row);
    const ssize_t written = ::write(descriptor_, line.data(), line.size());
    const int failure = written < 0 ? errno : written < static_cast<ssize_t>(line.size()) ? ENOSPC : 0;
    if (failure != 0) {
      // Best effort: what remains of the row is a line without an end, which a reader ignores.
      static_cast<void>(::ftruncate(descriptor_, size_) == 0);
      io::fail_system(path_, "cannot append a row", failure);
    }
    size_ += written;
    if (::fsync(descriptor_) != 0) io::fail_system(path_, "cannot flush to disk", errno);
    data_.rows.push_back(row);
  }

  /// All rows so far, those from before a resume included.
  const csv_data& data() const { return data_; }

private:
  static void check_names(const std::vector<std::string>& names) {
    if (names.empty()) throw std::invalid_argument("csv_log: needs at least one column");
    for (const std::string& name : names)
      if (name.empty() || name.find_first_of(",\n\r\"") != std::string::npos)
        throw std::invalid_argument(joined("csv_log: '", name, "' is not a column name (empty, or has a comma, quote or line break)"));
  }

  /// Replaces the file by the rows that are kept, atomically, and opens it for more.
  void rewrite() {
    std::string text = detail::csv_header(data_.names);
    for (const auto& row : data_.rows) text += detail::csv_line(row);
    io::write_text_file(path_, text);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) io::fail_system(path_, "cannot open for appending", errno);
    size_ = static_cast<off_t>(text.size());
  }

  std::filesystem::path path_;
  csv_data data_;
  int descriptor_ = -1;
  off_t size_ = 0;
};

} // namespace dalib::report
