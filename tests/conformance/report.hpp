/// @file
/// What a conformance check gives: the laws that were broken. It needs no test framework: `CHECK_MESSAGE(report.passed(), report.text())`,
/// or throw, or print.
#pragma once

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace conformance {

/// Broken laws in the order found, and how many laws were tried.
class report {
public:
  /// Notes a broken law unless `holds`; `what` says which one.
  void require(bool holds, const std::string& what) {
    ++tried_;
    if (!holds) failures_.push_back(what);
  }

  /// Requires |value| <= bound; NaN breaks it.
  void require_small(double value, double bound, const std::string& what) {
    std::ostringstream text;
    text << what << ": " << value << " is above " << bound;
    require((value < 0 ? -value : value) <= bound, text.str());
  }

  /// Adds another check's findings.
  void add(const report& other) {
    tried_ += other.tried_;
    failures_.insert(failures_.end(), other.failures_.begin(), other.failures_.end());
  }

  /// Whether at least one law was tried and none is broken.
  bool passed() const { return tried_ > 0 && failures_.empty(); }
  std::size_t tried() const { return tried_; }
  const std::vector<std::string>& failures() const { return failures_; }

  /// All broken laws, one a line.
  std::string text() const {
    std::string all;
    for (const std::string& failure : failures_) all += failure + "\n";
    return all;
  }

private:
  std::size_t tried_ = 0;
  std::vector<std::string> failures_;
};

} // namespace conformance
