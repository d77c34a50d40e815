#pragma once
// The results of a comparison: methods x tasks x seeds.

#include "statistics.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dalib::report {

/// What was measured for one method on one task: one number per seed.
struct result {
  std::string method;             ///< for example "dan"
  std::string task;               ///< for example "mnist -> optdigits"
  std::vector<double> accuracies; ///< one per seed, in percent
};

/// Results in the order in which methods and tasks first appeared. Tables, bar charts and JSON are made from it. Not every method must
/// have been run on every task, nor with the same number of seeds. Look-ups are linear in the number of results.
class result_set {
public:
  /// Adds one run's accuracy in percent.
  void add(std::string_view method, std::string_view task, double accuracy) {
    for (result& r : results_)
      if (r.method == method && r.task == task) {
        r.accuracies.push_back(accuracy);
        return;
      }
    remember(methods_, method);
    remember(tasks_, task);
    results_.push_back({std::string(method), std::string(task), {accuracy}});
  }

  /// Names of the methods, each once.
  const std::vector<std::string>& methods() const { return methods_; }
  /// Names of the tasks, each once.
  const std::vector<std::string>& tasks() const { return tasks_; }
  /// One entry for each pair of method and task that was run.
  const std::vector<result>& all() const { return results_; }

  /// Accuracies of a method on a task; empty if it was not run.
  std::vector<double> accuracies(std::string_view method, std::string_view task) const {
    for (const result& r : results_)
      if (r.method == method && r.task == task) return r.accuracies;
    return {};
  }

  /// Mean and standard deviation of a method on a task.
  summary of(std::string_view method, std::string_view task) const { return summarize(accuracies(method, task)); }

  /// Index of the method with the highest mean on a task (the first of equals), or the number of methods if none has a mean.
  std::size_t best(std::string_view task) const {
    std::size_t winner = methods_.size();
    double highest = 0;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const summary s = of(methods_[m], task);
      if (s.count == 0 || (winner < methods_.size() && s.mean <= highest)) continue;
      winner = m;
      highest = s.mean;
    }
    return winner;
  }

private:
  static void remember(std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }

  std::vector<std::string> methods_;
  std::vector<std::string> tasks_;
  std::vector<result> results_;
};

} // namespace dalib::report
