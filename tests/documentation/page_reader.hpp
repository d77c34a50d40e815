/// @file
/// Reads the ```cpp blocks of a Markdown page, and what stands in comments before them for whoever compiles them.
#pragma once

#include "header_reader.hpp"

#include <istream>
#include <stdexcept>
#include <string>
#include <vector>

namespace documentation {

/// One ```cpp block. `before` are the lines of a comment `<!-- before:` ... `-->` in front of it, which the reader of the page does not
/// need to see; a comment `<!-- not compiled: reason -->` excuses the block.
struct block {
  example code;
  std::vector<std::string> before;
  bool excused = false;

  bool has(std::string_view text) const {
    for (const auto* lines : {&before, &code.code})
      for (const std::string& line : *lines)
        if (line.find(text) != std::string::npos) return true;
    return false;
  }
};

inline std::vector<block> read_page(std::istream& stream) {
  std::vector<block> result;
  block next;
  bool in_code = false, in_comment = false;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (in_code && line == "```") {
      in_code = false;
      result.push_back(std::move(next));
      next = {};
    } else if (in_code) {
      next.code.code.push_back(line);
    } else if (in_comment) {
      in_comment = line != "-->";
      if (in_comment) next.before.push_back(line);
    } else if (line == "<!-- before:") {
      in_comment = true;
    } else if (line.starts_with("<!-- not compiled: ")) {
      next.excused = true;
    } else if (line.starts_with("```cpp")) {
      in_code = true;
      next.code.line = number + 1;
    } else if (!line.empty()) {
      next.before.clear();
      next.excused = false;
    }
  }
  if (in_code || in_comment) throw std::runtime_error("a block or comment does not end");
  return result;
}

} // namespace documentation
