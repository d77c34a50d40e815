#pragma once
// Tables as aligned text, Markdown and HTML.

#include "results.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::report {

/// One cell; `strong` is what the reader should see first, such as the best of a column.
struct cell {
  std::string text; ///< one line of UTF-8
  bool strong = false;
};

/// How a strong cell looks in aligned text: with a star behind it, or bold by the terminal's escape codes.
enum class emphasis { star, terminal_bold };

/// A table with a header row. The first column is set flush left, the others flush right.
/// @code
/// table t({"method", "accuracy"});
/// t.add({{"DAN"}, {"83.3", true}});
/// std::cout << t.text() << t.markdown();
/// @endcode
class table {
public:
  /// Throws std::invalid_argument without columns.
  explicit table(std::vector<std::string> header) : header_(std::move(header)) {
    if (header_.empty()) throw std::invalid_argument("table: needs at least one column");
  }

  /// Appends a row; throws std::invalid_argument unless it has one cell per column.
  void add(std::vector<cell> row) {
    if (row.size() != header_.size())
      throw std::invalid_argument(
          joined("table: a row of ", std::to_string(row.size()), " cells for ", std::to_string(header_.size()), " columns"));
    rows_.push_back(std::move(row));
  }

  /// Columns separated by two spaces under a ruled header; every line ends without trailing spaces.
  std::string text(emphasis look = emphasis::star) const {
    std::vector<std::size_t> widths;
    std::vector<bool> has_star; // the place for the star exists in every row, so that the digits stay below each other
    for (std::size_t c = 0; c < header_.size(); ++c) {
      std::size_t width = columns(header_[c]);
      for (const auto& row : rows_) width = std::max(width, columns(row[c].text));
      widths.push_back(width);
      has_star.push_back(look == emphasis::star && std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row[c].strong; }));
    }
    std::string out;
    const auto append_row = [&](const auto& cell_at) {
      std::string line;
      for (std::size_t c = 0; c < widths.size(); ++c) {
        const cell content = cell_at(c);
        const std::string space(widths[c] - columns(content.text), ' ');
        const bool bold = content.strong && look == emphasis::terminal_bold;
        const std::string shown = bold ? joined("\x1b[1m", content.text, "\x1b[0m") : content.text;
        if (c > 0) line += "  ";
        line += c == 0 ? shown + space : space + shown;
        if (has_star[c]) line += content.strong ? '*' : ' ';
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    };
    append_row([&](std::size_t c) { return cell{header_[c]}; });
    append_row([&](std::size_t c) { return cell{std::string(widths[c], '-')}; });
    for (const auto& row : rows_) append_row([&](std::size_t c) { return row[c]; });
    return out;
  }

  /// GitHub's Markdown, strong cells in bold. Characters with a meaning in Markdown are escaped.
  std::string markdown() const {
    std::string out = "|";
    for (const std::string& name : header_) out += joined(" ", markdown_escape(name), " |");
    out += "\n|";
    for (std::size_t c = 0; c < header_.size(); ++c) out += c == 0 ? " :-- |" : " --: |";
    out += "\n";
    for (const auto& row : rows_) {
      out += "|";
      for (const cell& c : row) out += joined(" ", c.strong ? "**" : "", markdown_escape(c.text), c.strong ? "**" : "", " |");
      out += "\n";
    }
    return out;
  }

  /// An HTML table element, strong cells in <strong>.
  std::string html() const {
    std::string out = "<table>\n<thead><tr>";
    for (const std::string& name : header_) out += joined("<th>", escape(name), "</th>");
    out += "</tr></thead>\n<tbody>\n";
    for (const auto& row : rows_) {
      out += "<tr>";
      for (const cell& c : row) out += joined("<td>", c.strong ? "<strong>" : "", escape(c.text), c.strong ? "</strong>" : "", "</td>");
      out += "</tr>\n";
    }
    return out + "</tbody>\n</table>\n";
  }

private:
  static std::string markdown_escape(std::string_view text) {
    std::string out;
    for (const char symbol : text) {
      if (std::string_view("\\|*_`<>[]").find(symbol) != std::string_view::npos) out += '\\';
      out += symbol == '\n' || symbol == '\r' ? ' ' : symbol;
    }
    return out;
  }

  std::vector<std::string> header_;
  std::vector<std::vector<cell>> rows_;
};

/// Methods as rows, tasks as columns, "mean ± standard deviation" over the seeds in percent, the best mean of each task strong. With two
/// tasks or more a last column has the mean over the tasks for each method that was run on all of them. "-" means not run.
inline table results_table(const result_set& results) {
  const bool has_average = results.tasks().size() > 1;
  std::vector<std::string> header{"method"};
  header.insert(header.end(), results.tasks().begin(), results.tasks().end());
  if (has_average) header.push_back("average");
  table out(std::move(header));

  std::vector<double> averages;
  for (const std::string& method : results.methods()) {
    std::vector<double> means;
    for (const std::string& task : results.tasks())
      if (const summary s = results.of(method, task); s.count > 0) means.push_back(s.mean);
    averages.push_back(means.size() == results.tasks().size() ? summarize(means).mean : -1.0);
  }
  const double best_average = averages.empty() ? -1.0 : *std::max_element(averages.begin(), averages.end());
  for (std::size_t m = 0; m < results.methods().size(); ++m) {
    std::vector<cell> row{{results.methods()[m]}};
    for (const std::string& task : results.tasks())
      row.push_back({summary_text(results.of(results.methods()[m], task)), results.best(task) == m});
    if (has_average) row.push_back({averages[m] < 0 ? "-" : fixed(averages[m], 1), averages[m] >= 0 && averages[m] == best_average});
    out.add(std::move(row));
  }
  return out;
}

} // namespace dalib::report
