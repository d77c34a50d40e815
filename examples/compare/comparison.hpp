#pragma once
// What the program is asked, and what it finds.

#include "sample.hpp"
#include "watched.hpp"
#include "witness_map.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dalib::compare {

struct options {
  std::string first, second;
  std::string test = "auto";
  double alpha = 0.05;
  std::ptrdiff_t permutations = 999;
  std::uint64_t seed = 0;
  std::string kernel = "gaussian";
  double bandwidth = 0;    ///< 0: the median distance
  std::ptrdiff_t rows = 0; ///< at most so many of each file, drawn at random; 0: all
  bool standardise = false;
  std::string json, report;
  int threads = 0;
};

/// Names for --test, without auto and all.
inline const std::vector<std::string>& test_names() {
  static const std::vector<std::string> names{"aggregated", "fuse",    "permutation", "energy", "wild-bootstrap",
                                              "spectrum",   "nystrom", "linear-time", "block"};
  return names;
}

/// One test's answer.
struct finding {
  std::string test;
  double statistic = 0, p_value = 1, threshold = 0;
  bool reject = false;
  std::string remark{};              ///< what was assumed, and what stands in the way
  std::vector<double> null_sample{}; ///< if there is one
  std::vector<double> kernel_p{}, kernel_limits{};
  std::vector<std::string> kernels{};
};

/// One feature's answer: the energy test of this feature alone, p corrected by Holm's method.
struct feature_finding {
  std::string name;
  double p_value = 1, corrected = 1, difference = 0; ///< difference of the means in joint standard deviations
};

struct comparison {
  std::size_t features = 0;
  std::size_t rows[2] = {0, 0};
  double bandwidth = 0;
  std::vector<finding> findings;
  std::vector<feature_finding> by_feature{}; ///< of a report
  std::vector<std::string> notes{};
  std::vector<std::size_t> witness_rows[2]; ///< rows of what was compared that differ most, from 1
  witness_map witness{};                    ///< of a report: over the two leading principal components
  double shown_variance = 0;                ///< the share of the variance that these have

  bool different() const {
    for (const finding& f : findings)
      if (f.reject) return true;
    return false;
  }
};

/// Who is told what is being done, and asked whether to go on.
struct audience {
  std::function<void(const std::string&)> tell;
  watcher watch;
};

/// Reads, prepares and compares. Throws std::runtime_error for files, std::invalid_argument for samples that a test cannot take, and
/// `interrupted`.
comparison run_comparison(const options& asked, const audience& user);

/// One sentence in plain words.
std::string sentence_of(const comparison& result, const options& asked);
std::string json_of(const comparison& result, const options& asked);
void save_report(const comparison& result, const options& asked);

} // namespace dalib::compare
