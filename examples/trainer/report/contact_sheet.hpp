#pragma once
// Pictures of samples with a word on each, as a part of a page.

#include "text.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dalib::report {

/// One sample of a contact sheet.
struct sheet_item {
  std::string picture; ///< a URI, also one of data; empty where there is no picture
  std::string heading; ///< what was predicted
  std::string note;    ///< how sure, and whatever else
  std::string name;    ///< of the file
  bool wrong = false;  ///< shown as a mistake
};

/// The samples as HTML, as many in a row as there is room for. html_report has the style.
inline std::string contact_sheet(const std::vector<sheet_item>& items) {
  std::string text = "<div class=\"sheet\">\n";
  for (const sheet_item& item : items) {
    text += item.wrong ? "<div class=\"wrong\">" : "<div>";
    if (!item.picture.empty()) text += joined("<img src=\"", escape(item.picture), "\" alt=\"", escape(item.name), "\">");
    text += joined("<b>", escape(item.heading), "</b> ", escape(item.note), "<small>", escape(item.name), "</small></div>\n");
  }
  return text + "</div>\n";
}

} // namespace dalib::report
