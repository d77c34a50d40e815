#pragma once
// What is recorded at every evaluation of a run.

#include "evaluation.hpp"

#include "../report/csv.hpp"

#include <span>
#include <string>
#include <vector>

namespace dalib::train {

/// Columns of history.csv; the last are label_free_names, behind them those of an open set. Losses and train_accuracy are means over the
/// iterations since the row before. Accuracies are percentages.
inline std::vector<std::string> history_columns(bool open_set = false) {
  std::vector<std::string> all{"iteration",       "learning_rate",   "loss",           "classification_loss",
                               "transfer_loss",   "domain_accuracy", "train_accuracy", "source_accuracy",
                               "target_accuracy", "information",     "density",        "score"};
  all.insert(all.end(), label_free_names.begin(), label_free_names.end());
  if (open_set) all.insert(all.end(), {"os_star", "unk", "h_score"});
  return all;
}

/// Sums over the iterations since the last evaluation.
struct interval_sums {
  double iterations = 0, images = 0, loss = 0, classification = 0, transfer = 0, domain_accuracy = 0, correct = 0;

  void add(const step_report& step, index_t batch_size) {
    iterations += 1;
    images += static_cast<double>(batch_size);
    loss += step.total_loss;
    classification += step.classification_loss;
    transfer += step.transfer_loss;
    domain_accuracy += step.domain_accuracy;
    correct += step.correct;
  }

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    for (const auto& [name, value] : {std::pair{"iterations", &iterations},
                                      {"images", &images},
                                      {"loss", &loss},
                                      {"classification", &classification},
                                      {"transfer", &transfer},
                                      {"domain_accuracy", &domain_accuracy},
                                      {"correct", &correct}})
      visitor(name, {}, std::span<double>(value, 1));
  }
};

/// One row of history.csv.
inline std::vector<double> history_row(long iteration, double learning_rate, const interval_sums& sums, const evaluation& e,
                                       bool open_set = false) {
  const auto mean = [&](double sum) { return sum / sums.iterations; };
  std::vector<double> row{static_cast<double>(iteration),
                          learning_rate,
                          mean(sums.loss),
                          mean(sums.classification),
                          mean(sums.transfer),
                          mean(sums.domain_accuracy),
                          100 * sums.correct / sums.images,
                          e.source_accuracy,
                          e.target_accuracy,
                          e.information,
                          e.density,
                          e.score()};
  row.insert(row.end(), e.label_free.begin(), e.label_free.end());
  if (open_set) row.insert(row.end(), {e.open.known, e.open.unknown, e.open.harmonic});
  return row;
}

} // namespace dalib::train
