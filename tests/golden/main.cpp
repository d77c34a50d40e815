/// Checks the library against a golden set: the set in the project, or the folder named by DALIB_GOLDEN_DIR.
#include "groups.hpp"

#ifdef DALIB_TEST_MPI
#  include <dalib/mpi.hpp>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace golden;

constexpr const char* usage =
    "Usage: golden_tests [--help] [[--except] GROUP ...]\n"
    "Checks the cases of the named groups (default: all claimed groups), or of all others, of the golden set in the project,\n"
    "or in the folder named by the environment variable DALIB_GOLDEN_DIR, in double and (built with DALIB_GOLDEN_FLOAT) single precision.\n"
    "Exit status 0: every case agrees; 1: some do not, or nothing could be checked; 2: wrong usage.\n";

void run_case(const test_case& test, const runner& run, precision digits, tally& result) {
  try {
    const std::vector<outcome> outcomes = run(test);
    if (outcomes.empty()) result.add_failure(test.name, "was not computed", "all");
    for (const outcome& got : outcomes) compare(test.name, test.outputs, got, digits, result);
  } catch (const std::exception& error) {
    result.add_failure(test.name, error.what(), "all");
  }
}

/// Cases that no runner takes are counted in `skipped`.
tally run_group(const golden_set& set, const std::string& name, std::size_t& skipped) {
  tally result;
  for (const test_case& test : set.cases(name)) {
    const group_runner* const runners = runner_of(test);
    if (runners == nullptr) {
      ++skipped;
      continue;
    }
    ++result.cases;
    run_case(test, runners->in_double, precision::float64, result);
    if (runners->in_float) run_case(test, runners->in_float, precision::float32, result);
  }
  return result;
}

void print_group(const std::string& name, const tally& result) {
  constexpr std::size_t most_failures_shown = 20;
  std::printf("%-10s %6zu %12zu %14.3g %14.3g   %s\n", name.c_str(), result.cases, result.comparisons, result.worst64, result.worst32,
              result.failures.empty() ? "ok" : "FAILED");
  for (const auto& [reason, count] : result.not_applicable) std::printf("  %zu outputs not applicable: %s\n", count, reason.c_str());
  for (std::size_t i = 0; i < std::min(result.failures.size(), most_failures_shown); ++i) {
    const failure& f = result.failures[i];
    const std::string others = f.variants.size() > 1 ? " and " + std::to_string(f.variants.size() - 1) + " more" : "";
    std::printf("  failed: %s: %s (variant %s%s)\n", f.what.c_str(), f.message.c_str(), f.variants.front().c_str(), others.c_str());
  }
  if (result.failures.size() > most_failures_shown) std::printf("  and %zu more failures\n", result.failures.size() - most_failures_shown);
}

/// The groups that were asked for.
struct selection {
  std::vector<std::string> names; ///< none: all groups
  bool all_others = false;

  bool has(const std::string& name) const {
    return names.empty() || (std::find(names.begin(), names.end(), name) != names.end()) != all_others;
  }
};

int check(const selection& wanted) {
  const char* folder = std::getenv("DALIB_GOLDEN_DIR");
  const golden_set set(folder != nullptr ? folder : DALIB_GOLDEN_SET);
  std::printf("golden set %s (%s)\n", folder != nullptr ? folder : "of the project", set.description().c_str());
  std::printf("errors are in units of the case's tolerance\n");
  std::printf("%-10s %6s %12s %14s %14s\n", "group", "cases", "comparisons", "worst float64", "worst float32");

  std::size_t cases = 0;
  std::size_t failures = 0;
  std::map<std::string, std::size_t> skipped; // group -> number of cases
  for (const std::string& name : set.groups()) {
    if (!wanted.has(name)) continue;
    if (!claimed_groups().contains(name)) {
      skipped[name] = set.case_count(name);
      continue;
    }
    std::size_t without_runner = 0;
    const tally result = run_group(set, name, without_runner);
    if (without_runner > 0) skipped[name] = without_runner;
    if (result.cases > 0) print_group(name, result);
    cases += result.cases;
    failures += result.failures.size();
  }
  for (const auto& [name, count] : skipped) std::printf("skipped, not claimed: %s (%zu cases)\n", name.c_str(), count);
  std::printf("%zu cases checked, %zu failures\n", cases, failures);
  if (cases == 0) std::printf("nothing was checked\n");
  return failures == 0 && cases > 0 ? 0 : 1;
}

} // namespace

int main(int argument_count, char** arguments) {
#ifdef DALIB_TEST_MPI
  const dalib::mpi_session session(argument_count, arguments);
#endif
  selection wanted;
  for (int i = 1; i < argument_count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (argument == "--except") {
      wanted.all_others = true;
      continue;
    }
    if (!claimed_groups().contains(argument)) {
      std::fprintf(stderr, "golden_tests: group %s is not claimed\n%s", argument.c_str(), usage);
      return 2;
    }
    wanted.names.push_back(argument);
  }
  try {
    return check(wanted);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "golden_tests: %s\n", error.what());
    return 1;
  }
}
