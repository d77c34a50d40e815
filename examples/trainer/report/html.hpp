#pragma once
// The report of a training run as one HTML file that needs nothing else.

#include "../../io/atomic_file.hpp"
#include "table.hpp"
#include "text.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::report {

/// @code
/// html_report page("mnist -> optdigits");
/// page.results("Results", results_table(results));
/// page.figure(line_plot(curves, options), "Accuracy during training.");
/// page.save("out/report.html");
/// @endcode
/// Builds a page section by section; sections appear in the order of the calls. All text is escaped; only pictures are taken as they are,
/// so they must come from the plots of this folder. The page has no script and loads nothing.
class html_report {
public:
  /// The title is the heading of the page and the name of its tab.
  explicit html_report(std::string_view title) : title_(escape(title)) {}

  /// A short paragraph below the title or wherever it is called.
  void paragraph(std::string_view text) { append("<p>", escape(text), "</p>\n"); }

  /// Names and values in two columns, such as the configuration of the run.
  void settings(std::string_view heading, const std::vector<std::pair<std::string, std::string>>& values) {
    section(heading);
    append("<table class=\"settings\"><tbody>\n");
    for (const auto& [name, value] : values) append("<tr><th>", escape(name), "</th><td>", escape(value), "</td></tr>\n");
    append("</tbody></table>\n");
  }

  /// A table of results.
  void results(std::string_view heading, const table& values) {
    section(heading);
    append("<div class=\"wide\">", values.html(), "</div>\n");
  }

  /// A picture, as returned by the plots of this folder, with a caption (may be empty).
  void figure(std::string_view svg, std::string_view caption) {
    append("<figure>\n", svg);
    if (!caption.empty()) append("<figcaption>", escape(caption), "</figcaption>\n");
    append("</figure>\n");
  }

  /// A table whose second column explains the first: that one is set in lines, flush left.
  void explained(const table& values) { append("<div class=\"wide explained\">", values.html(), "</div>\n"); }

  /// HTML that this folder made (`contact_sheet`, `confusion_matrix`), as it is; wider than the page, it can be scrolled.
  void block(std::string_view html) { append("<div class=\"wide\">", html, "</div>\n"); }

  /// The same in two widths, the second for phones, whose text would be too small in the first.
  void figure(std::string_view wide, std::string_view narrow, std::string_view caption) {
    figure(joined("<div class=\"on-wide\">", wide, "</div><div class=\"on-narrow\">", narrow, "</div>"), caption);
  }

  /// A list of remarks.
  void notes(std::string_view heading, const std::vector<std::string>& remarks) {
    section(heading);
    append("<ul>\n");
    for (const std::string& remark : remarks) append("<li>", escape(remark), "</li>\n");
    append("</ul>\n");
  }

  /// A heading of its own, for a group of figures.
  void section(std::string_view heading) { append("<h2>", escape(heading), "</h2>\n"); }
  /// One below it.
  void subsection(std::string_view heading) { append("<h3>", escape(heading), "</h3>\n"); }

  /// The whole page.
  std::string str() const {
    return joined(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<title>",
        title_, "</title>\n<style>\n", style, "</style>\n</head>\n<body>\n<main>\n<h1>", title_, "</h1>\n", body_,
        "</main>\n</body>\n</html>\n");
  }

  /// Writes the page atomically; throws std::runtime_error naming the file if that is not possible.
  void save(const std::filesystem::path& path) const { io::write_text_file(path, str()); }

private:
  template <class... Parts>
  void append(const Parts&... parts) {
    (body_.append(std::string_view(parts)), ...);
  }

  static constexpr std::string_view style = R"(
body { margin: 0; background: #f5f7fa; color: #1f2933; font: 15px/1.55 Helvetica, Arial, "DejaVu Sans", sans-serif; }
main { max-width: 932px; margin: 24px auto; padding: 24px 32px 40px; background: #ffffff; border: 1px solid #e4e7eb; border-radius: 6px; }
h1 { font-size: 25px; line-height: 1.25; margin: 8px 0 12px; }
h2 { font-size: 18px; margin: 34px 0 10px; padding-bottom: 4px; border-bottom: 1px solid #e4e7eb; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px; text-align: right; border-bottom: 1px solid #e4e7eb; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 4px; }
thead th { border-bottom: 2px solid #9aa5b1; white-space: normal; }
tbody tr:hover { background: #f5f7fa; }
td strong { color: #0072b2; }
table.settings th { font-weight: normal; color: #52606d; }
table.settings td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.explained td:nth-child(2), .explained th:nth-child(2) { text-align: left; white-space: normal; min-width: 21em; }
.confusion td { text-align: center; padding: 5px 8px; } .confusion th { text-align: center; padding: 5px 8px; }
.confusion td:nth-child(2), .confusion td:nth-child(3) { text-align: right; border-right: 1px solid #e4e7eb; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 14px 12px; margin: 12px 0; }
.sheet div { font-size: 13px; line-height: 1.3; overflow-wrap: anywhere; break-inside: avoid; }
.sheet img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: #eef1f4; margin-bottom: 4px; }
.sheet small { display: block; color: #52606d; font-size: 11.5px; } .sheet .wrong b { color: #b03a00; }
h3 { font-size: 15px; margin: 22px 0 4px; }
figure { margin: 18px 0 26px; }
figure svg { display: block; max-width: 100%; height: auto; }
body { counter-reset: figure; }
figcaption { color: #52606d; font-size: 13.5px; margin-top: 4px; }
figcaption::before { counter-increment: figure; content: "Figure " counter(figure) ". "; font-weight: bold; color: #1f2933; }
.on-narrow { display: none; }
@media screen and (max-width: 760px) {
  main { margin: 0; padding: 12px 14px 32px; border: 0; }
  th, td { padding: 5px 7px; font-size: 14px; }
  .explained td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 6.5em; }
  .explained td:nth-child(2), .explained th:nth-child(2) { min-width: 10em; font-size: 13px; }
  .on-wide { display: none; } .on-narrow { display: block; } .on-narrow svg { max-width: 100%; }
  figure { overflow-x: auto; }
  figure svg { max-width: none; }
}
@media print { body { background: #ffffff; } main { border: 0; margin: 0; } figure, table { break-inside: avoid; } }
)";

  std::string title_;
  std::string body_;
};

} // namespace dalib::report
