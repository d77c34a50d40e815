/// @file
/// Reads a header of the library as its reader does: what it declares at namespace scope, the documentation, and the examples in it.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace documentation {

/// One `@code{.cpp} ... @endcode` of a documentation comment.
struct example {
  std::size_t line = 0; ///< of its first line in the header
  std::vector<std::string> code;

  /// What the compiler sees of it in one piece, without comments.
  std::string text() const {
    std::string result;
    for (const std::string& one : code) result += one.substr(0, one.find("//")) + "\n";
    return result;
  }
};

/// A type at namespace scope.
struct public_type {
  std::string name;
  std::size_t line = 0;
  bool documented = false;
};

/// What a user may name: a concept, type, alias or function at namespace scope, with the first sentence of its documentation.
struct public_name {
  std::string kind;
  std::string name; ///< with its namespaces inside dalib
  std::string summary;
};

/// What a header says.
struct header {
  std::vector<public_type> types;
  std::vector<public_name> names; ///< documented ones, a function once however many forms it has
  std::vector<example> examples;
  std::vector<std::string> errors; ///< broken markup: "line N: ..."
};

namespace detail {

inline bool is_word_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

inline std::string_view first_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_word_character(text[end])) ++end;
  return text.substr(0, end);
}

/// The name that a line at namespace scope declares as a type; empty if it does not, or only specialises one.
inline std::string declared_type(std::string_view line) {
  for (const std::string_view keyword : {"enum class ", "struct ", "class ", "concept "}) {
    if (!line.starts_with(keyword)) continue;
    const std::string_view rest = line.substr(keyword.size());
    const std::string_view name = first_word(rest);
    const std::string_view after = rest.substr(name.size());
    return after.starts_with("<") ? std::string() : std::string(name);
  }
  return {};
}

/// The function that a line at namespace scope begins to declare; empty if it does not.
inline std::string declared_function(std::string_view line) {
  for (const std::string_view other : {" ", "}", "#", "/", "template", "requires", "static_assert", "namespace", "using", "struct", "class",
                                       "enum", "concept", "friend", "extern", "inline constexpr", "constexpr bool", "DALIB_PRAGMA"})
    if (line.starts_with(other)) return {};
  const std::size_t operator_at = line.find("operator");
  const std::size_t open = line.find('(');
  if (open == std::string_view::npos || line.substr(0, open).find('=') != std::string_view::npos) return {};
  if (operator_at != std::string_view::npos && operator_at < open) return std::string(line.substr(operator_at, open - operator_at));
  std::size_t start = open;
  while (start > 0 && is_word_character(line[start - 1])) --start;
  return start == 0 || start == open ? std::string() : std::string(line.substr(start, open - start));
}

/// The name that a line at namespace scope gives to a type that has another one; empty if it does not.
inline std::string declared_alias(std::string_view line) {
  return line.starts_with("using ") && line.find('=') != std::string_view::npos ? std::string(first_word(line.substr(6))) : std::string();
}

/// The first sentence of a comment; of one that leads to a formula, what comes before it.
inline std::string first_sentence(std::string_view comment) {
  for (std::size_t at = comment.find(". "); at != std::string_view::npos; at = comment.find(". ", at + 1)) {
    const std::string_view before = comment.substr(0, at);
    const char next = at + 2 < comment.size() ? comment[at + 2] : ' ';
    const bool new_sentence = (next >= 'A' && next <= 'Z') || next == '`' || next == '(';
    if (new_sentence && !before.ends_with(" al") && !before.ends_with(".") && !before.ends_with(" ")) return std::string(before) + ".";
  }
  while (comment.ends_with(":") || comment.ends_with(",")) comment.remove_suffix(1);
  return std::string(comment);
}

/// Names of the namespaces that are no business of the library's user.
inline bool is_internal(std::string_view name) {
  return name == "detail" || name == "engine" || name.ends_with("::detail") || name.ends_with("::engine");
}

} // namespace detail

/// Whether `word` stands in `text` as a word of its own.
inline bool mentions(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !detail::is_word_character(text[at - 1]);
    const std::size_t end = at + word.size();
    if (starts && (end == text.size() || !detail::is_word_character(text[end]))) return true;
  }
  return false;
}

namespace detail {

/// The namespaces around a line.
class scope {
public:
  void enter(std::string_view name) {
    std::string_view inside = name;
    if (inside.starts_with("dalib::")) inside.remove_prefix(7);
    const std::string outer = levels_.empty() ? std::string() : levels_.back().prefix;
    const bool hidden = detail::is_internal(name) || (!levels_.empty() && levels_.back().internal);
    levels_.push_back({inside == "dalib" ? outer : outer + std::string(inside) + "::", hidden});
  }
  void leave() {
    if (!levels_.empty()) levels_.pop_back();
  }
  bool is_public() const { return !levels_.empty() && !levels_.back().internal; }
  std::string prefix() const { return levels_.empty() ? std::string() : levels_.back().prefix; }

private:
  struct level {
    std::string prefix;
    bool internal;
  };
  std::vector<level> levels_;
};

/// The first paragraph of a documentation comment, line by line.
class paragraph {
public:
  void add(std::string_view line) {
    if (line.empty() || line.starts_with("@")) ended_ = true;
    if (ended_) return;
    if (!text_.empty()) text_ += " ";
    text_ += line;
  }
  const std::string& text() const { return text_; }

private:
  std::string text_;
  bool ended_ = false;
};

/// Notes what a line declares for the user, unless the name is there already.
inline void add_name(header& result, const scope& where, std::string_view line, const std::string& type, const paragraph& comment) {
  public_name found{"type", type, first_sentence(comment.text())};
  if (line.starts_with("concept ")) found.kind = "concept";
  if (found.name.empty()) {
    found.name = declared_alias(line);
    found.kind = found.name.empty() ? "function" : "alias";
  }
  if (found.name.empty()) found.name = declared_function(line);
  if (found.name.empty() || found.summary.empty()) return;
  found.name = where.prefix() + found.name;
  for (const public_name& other : result.names)
    if (other.name == found.name) return;
  result.names.push_back(std::move(found));
}

} // namespace detail

/// Reads a header in the layout of .clang-format: declarations at namespace scope start in column 0, namespaces end with their name.
/// Types in a namespace `detail` or `engine` and those documented as `@internal` are left out.
inline header read_header(std::istream& stream) {
  header result;
  detail::scope where;
  detail::paragraph comment_text;
  bool in_code = false, has_comment = false, is_internal_type = false;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    std::string_view text = line;
    const std::size_t indent = text.find_first_not_of(' ');
    const std::string_view trimmed = indent == std::string_view::npos ? std::string_view{} : text.substr(indent);
    if (trimmed.starts_with("///") && !trimmed.starts_with("///<")) {
      const std::string_view comment = trimmed.substr(trimmed.starts_with("/// ") ? 4 : 3);
      if (in_code && comment == "@endcode")
        in_code = false;
      else if (in_code)
        result.examples.back().code.emplace_back(comment);
      else if (comment.starts_with("@code")) {
        if (comment != "@code{.cpp}") result.errors.push_back("line " + std::to_string(number) + ": an example starts with @code{.cpp}");
        in_code = true;
        result.examples.push_back({number + 1, {}});
      }
      if (comment.starts_with("@internal")) is_internal_type = true;
      if (!has_comment) comment_text = {};
      comment_text.add(comment);
      has_comment = true;
      continue;
    }
    if (in_code) {
      result.errors.push_back("line " + std::to_string(number) + ": the example before has no @endcode");
      in_code = false;
    }
    if (text.starts_with("namespace ") && text.ends_with("{")) {
      const std::string_view name = text.substr(10, text.size() - 12);
      where.enter(name);
    } else if (text.starts_with("} // namespace")) {
      where.leave();
    }
    const bool is_public = where.is_public();
    const std::string name = detail::declared_type(text);
    const bool announces = text.ends_with(";") && !text.starts_with("concept") && !has_comment;
    if (!name.empty() && is_public && !is_internal_type && !announces) result.types.push_back({name, number, has_comment});
    if (is_public && !is_internal_type && has_comment && indent == 0) detail::add_name(result, where, text, name, comment_text);
    // `template <...>`, over several lines, and `requires ...` stand between a comment and what it documents.
    if (indent == 0 && !text.starts_with("template ") && !text.starts_with("requires")) has_comment = is_internal_type = false;
  }
  return result;
}

/// What is missing in a header, a sentence each: markup, documentation, examples, checks in examples.
inline std::vector<std::string> findings(const header& h) {
  std::vector<std::string> result = h.errors;
  const auto at = [](std::size_t line) { return "line " + std::to_string(line) + ": "; };
  for (const example& one : h.examples)
    if (!mentions(one.text(), "assert") && !mentions(one.text(), "static_assert"))
      result.push_back(at(one.line) + "the example checks nothing; it needs an assert(...)");
  for (const public_type& type : h.types) {
    bool shown = false;
    for (const example& one : h.examples) shown = shown || mentions(one.text(), type.name);
    if (!type.documented) result.push_back(at(type.line) + "the type " + type.name + " has no documentation");
    if (!shown) result.push_back(at(type.line) + "no example of this header uses the type " + type.name);
  }
  return result;
}

} // namespace documentation
