#pragma once
// What a finished run leaves.

#include "auto_choice.hpp"
#include "evaluation.hpp"
#include "trust.hpp"

#include "../report/csv.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace dalib::train {

/// What a finished run leaves for tables and pictures.
struct run_result {
  std::string method; ///< as tables have it: planned_run::name()
  std::uint64_t seed = 0;
  long iterations = 0;
  nlohmann::ordered_json configuration; ///< see describe_run
  evaluation chosen;                    ///< of the weights that --select says
  long chosen_iteration = 0;
  double milliseconds = 0;                 ///< per training iteration, loading included, evaluation not
  double seconds = 0;                      ///< of all iterations and evaluations, those of earlier calls too
  report::csv_data history;                ///< all rows of history.csv
  outputs source, target;                  ///< of the test images that could be read, by the chosen weights
  std::vector<Eigen::Index> target_rows{}; ///< places of those in the target's test images
  outputs source_seen{};                   ///< of the first of the images that were trained on
  Eigen::MatrixXf target_seen{};           ///< features of the same of the target
  std::filesystem::path folder;            ///< with the model and the predictions
  Eigen::MatrixXf unlabelled{};            ///< logits of unlabelled target images, the same for every method
  trust trusted{};                         ///< what turns its outputs into predictions
  std::optional<standing> among{};         ///< where --method auto has it stand among its candidates
};

} // namespace dalib::train
