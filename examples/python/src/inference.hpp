/// @file
/// A test, or a score of a model, as it comes from Python, and its answer. Rows are in double.
#pragma once

#include "plan.hpp"

#include "dalib/inference/result.hpp"

namespace dalib_python {

/// Which test; what counts depends on it.
struct test_request {
  std::string name;
  std::vector<kernel_choice> kernels{}; ///< of the squared distance
  std::span<const array> inputs{};
  int threads = 0;
  double alpha = 0.05;
  index_t draws = 999;
  std::uint64_t seed = 0;
  bool keep_null = false;
  bool biased = false;             ///< the estimator of a permutation test or of HSIC
  int form = 0;                    ///< of a wild bootstrap, of a Stein discrepancy, of a variance
  double length = 0;               ///< of its dependence
  int kernel_count = 10;           ///< of an aggregated test, of each kind
  std::vector<double> numbers{};   ///< what else a test is told, in the order of its arguments in Python
  array permutations{}, weights{}; ///< draws of the caller's, as int64 and double; none: random ones

  double number(std::size_t place) const { return numbers.at(place); }
  index_t whole(std::size_t place) const { return static_cast<index_t>(number(place)); }
};

struct test_answer {
  double statistic = 0, p_value = 1, threshold = 0;
  bool reject = false;
  std::vector<double> null_sample{};
  std::string warning{};
  std::vector<double> values{}; ///< one for each kernel, point, eigenvalue, sample: as the test says
  std::vector<std::pair<const char*, double>> details{};
};

/// @throws std::invalid_argument for an unknown test and whatever the test refuses.
test_answer run_test(const test_request& r);
/// The tests whose null law is fitted or known, those of features, and scores: false for another name.
bool run_fitted_test(const test_request& r, test_answer& answer);
bool run_feature_test(const test_request& r, test_answer& answer);
bool run_score(const test_request& r, test_answer& answer);

/// The options that all tests have.
inline dalib::inference::test_options options_of(const test_request& r) {
  dalib::inference::test_options options{.alpha = r.alpha, .draws = r.draws, .seed = r.seed, .keep_null = r.keep_null};
  if (r.permutations.data) options.given.permutations = r.permutations.read<std::int64_t>();
  if (r.weights.data) options.given.weights = r.weights.read<double>();
  return options;
}

inline test_answer answer_of(dalib::inference::test_result found) {
  test_answer answer;
  answer.statistic = found.statistic;
  answer.p_value = found.p_value;
  answer.threshold = found.threshold;
  answer.reject = found.reject;
  answer.null_sample = std::move(found.null_sample);
  answer.warning = std::move(found.warning);
  return answer;
}

/// @throws std::invalid_argument for another kernel than of the squared distance.
inline const radial_expression& kernel_of(const test_request& r, std::size_t place) {
  if (r.kernels.at(place).kind != family::radial)
    throw std::invalid_argument(r.name + ": only kernels of the squared distance are compiled into this package for tests");
  return r.kernels[place].expression;
}

} // namespace dalib_python
