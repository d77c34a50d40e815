/// @file
/// What a runner computed for a case, held against what the set expects.
#pragma once

#include "array.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// Double precision is held to tol64, single to tol32.
enum class precision { float64, float32 };

/// One expected output of a case.
struct expected_output {
  std::string name;
  array want;
  double tol64 = 0;
  double tol32 = 0;
  bool relative = false; ///< compare got / want - 1 instead of got - want

  double tolerance(precision p) const { return p == precision::float64 ? tol64 : tol32; }
};

/// What one way of computing a case (one tensor kind, one execution) produced.
struct outcome {
  std::string variant;
  std::map<std::string, array> outputs;
  /// Outputs that have no meaning for this variant, each with the reason; they are counted and the reason is printed.
  std::map<std::string, std::string> not_applicable;
};

/// One thing that is wrong, with the variants that show it.
struct failure {
  std::string what;                  ///< case, output and precision
  std::string message;               ///< in the first variant
  std::vector<std::string> variants; ///< empty if the case could not be computed
};

/// Counts and failures of one group.
struct tally {
  std::size_t cases = 0;
  std::size_t comparisons = 0;
  double worst64 = 0; ///< largest error in units of the tolerance
  double worst32 = 0;
  std::map<std::string, std::size_t> not_applicable; ///< reason -> number of outputs
  std::vector<failure> failures;

  void add_failure(const std::string& what, const std::string& message, const std::string& variant) {
    const auto known = std::find_if(failures.begin(), failures.end(), [&](const failure& f) { return f.what == what; });
    if (known != failures.end())
      known->variants.push_back(variant);
    else
      failures.push_back({what, message, {variant}});
  }
};

/// The error of `got` in units of the tolerance; infinity for a wrong shape or anything that is not finite.
/// `message` says what is wrong when the result is above 1.
inline double error_in_tolerances(const array& got, const expected_output& expected, precision p, std::string& message) {
  if (got.shape != expected.want.shape || got.values.size() != expected.want.values.size()) {
    message = "has shape " + array::text(got.shape) + ", expected " + array::text(expected.want.shape);
    return INFINITY;
  }
  const double tolerance = expected.tolerance(p);
  double worst = 0;
  for (std::size_t i = 0; i < got.values.size(); ++i) {
    const double want = expected.want.values[i];
    const double error = std::abs(expected.relative ? got.values[i] / want - 1 : got.values[i] - want) / tolerance;
    if (error <= worst) continue;
    worst = std::isfinite(error) ? error : INFINITY;
    if (worst > 1)
      message = "element " + std::to_string(i) + ": got " + std::to_string(got.values[i]) + ", expected " + std::to_string(want) +
                ", error " + std::to_string(worst) + " tolerances";
    if (std::isinf(worst)) break;
  }
  return worst;
}

/// Checks every expected output of a case against one outcome.
inline void compare(const std::string& case_name, const std::vector<expected_output>& expected, const outcome& got, precision p,
                    tally& result) {
  const char* digits = p == precision::float64 ? "float64" : "float32";
  const auto fail = [&](const std::string& output, const std::string& message) {
    result.add_failure(case_name + " / " + output + " (" + digits + ")", message, got.variant);
  };
  for (const expected_output& output : expected) {
    if (const auto excused = got.not_applicable.find(output.name); excused != got.not_applicable.end()) {
      ++result.not_applicable[excused->second];
      continue;
    }
    ++result.comparisons;
    const auto computed = got.outputs.find(output.name);
    if (computed == got.outputs.end()) {
      fail(output.name, "was not computed");
      continue;
    }
    std::string message;
    const double error = error_in_tolerances(computed->second, output, p, message);
    if (!(error <= 1)) fail(output.name, message);
    double& worst = p == precision::float64 ? result.worst64 : result.worst32;
    worst = std::max(worst, error);
  }
}

} // namespace golden
