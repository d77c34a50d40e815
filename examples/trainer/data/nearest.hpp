#pragma once
// What somebody probably meant.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace dalib::data {

/// Insertions, deletions, replacements and swaps of neighbours that make one word of the other (optimal string alignment).
/// O(|a| |b|) time.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

/// The known word nearest to `word`, or an empty one where none is near: more than a third of the letters, at least two, would have to
/// change.
inline std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

/// What lies beside a path that is not there, written as the path is.
inline std::vector<std::string> neighbours_of(const std::filesystem::path& path) {
  std::vector<std::string> names;
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  if (std::filesystem::is_directory(parent, error))
    for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
      const std::filesystem::path name = entry.path().filename();
      names.push_back(path.has_parent_path() ? (parent / name).string() : name.string());
    }
  std::sort(names.begin(), names.end());
  return names;
}

/// "; did you mean 'mnist'?", or nothing.
inline std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string best = nearest(word, known);
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

} // namespace dalib::data
