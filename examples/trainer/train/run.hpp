#pragma once
// One training run: one method, one seed.

#include "history.hpp"
#include "options.hpp"
#include "run_result.hpp"

#include "../data/loader.hpp"
#include "../report/progress.hpp"

#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace dalib::train {

/// A method's settings with what the data say.
method_config configured(method_config config, const data::dataset& set);

/// Features of images that are trained on, by one network.
struct seen_features {
  Eigen::MatrixXf source, target;
};

/// Images of each domain whose features are compared, and that say where features lie.
inline constexpr index_t seen_images = 300;

/// Those that the run of a method with this seed began with.
/// @param settings as settings_for gives them
seen_features untrained_features(const options& settings, const task& data, const method_entry& entry, std::uint64_t seed);

/// A run with all its state, of which every rank has a copy; the first has the files. It is made anew or goes on from the checkpoint in its
/// folder; `train` brings it to the last iteration.
class training_run {
public:
  /// @param settings as settings_for gives them
  /// @param folder of this run; must exist
  /// Throws std::runtime_error for a checkpoint that cannot be used, std::invalid_argument if it belongs to other settings.
  training_run(const options& settings, const task& data, const method_entry& entry, std::uint64_t seed, std::filesystem::path folder);

  /// Trains up to the number of iterations asked for, or until a stop is requested; then the state is in the checkpoint.
  /// Returns whether the run is finished. Throws training_failure for a loss that is not finite, std::runtime_error for file problems.
  bool train(report::progress& display, bool show_evaluations);

  /// The results, to be called once after training has finished.
  run_result finish();

  /// Where a run keeps its state.
  static std::filesystem::path checkpoint_in(const std::filesystem::path& folder) { return folder / "checkpoint.safetensors"; }

  long iteration() const { return static_cast<long>(iteration_); }
  /// What the user should know about the start: resumed from where, replaced what.
  const std::string& start_message() const { return start_message_; }

  /// Shows everything that training goes on from.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("iteration", {}, std::span<std::int64_t>(&iteration_, 1));
    visitor("seconds", {}, std::span<double>(&seconds_, 1));
    source_loader_.visit_state(io::scoped(visitor, "source_loader."));
    target_loader_.visit_state(io::scoped(visitor, "target_loader."));
    sums_.visit_state(io::scoped(visitor, "interval."));
    any_state_visitor any = any_state_visitor::of(visitor);
    method_->visit_state(any);
    if (settings_.select == selection::last) return;
    visitor("best.iteration", {}, std::span<std::int64_t>(&best_iteration_, 1));
    visitor("best.value", {}, std::span<double>(&best_value_, 1));
    best_.visit_state(io::scoped(visitor, "best."));
  }

private:
  struct model_view {
    method& trained;
    template <class Visitor>
    void visit_state(Visitor&& visitor) {
      any_state_visitor any = any_state_visitor::of(visitor);
      trained.visit_model(any);
    }
  };

  void restore();
  /// Where each rank's batch norm has statistics of its own, those of the first become all ranks'.
  void share_statistics();
  /// The next batch; where one of its images cannot be read, the checkpoint is written before the error goes on.
  batch<scalar> load_batch();
  step_report step();
  evaluation evaluate_now();
  void save();
  /// Writes the model and its predictions for the target's test images, whose outputs are `every`.
  void save_model(run_result& result, const outputs& every);
  std::filesystem::path checkpoint_path() const { return checkpoint_in(folder_); }

  options settings_;
  const task& data_;
  std::string name_;
  std::uint64_t seed_;
  std::filesystem::path folder_;
  std::string start_message_;

  io::random_generator random_;
  data::loader source_loader_, target_loader_;
  std::unique_ptr<method> method_;
  std::int64_t iteration_ = 0;
  double seconds_ = 0;
  interval_sums sums_;
  std::int64_t best_iteration_ = 0;
  double best_value_ = -std::numeric_limits<double>::infinity();
  state_snapshot best_;
  std::optional<report::csv_log> history_;
};

} // namespace dalib::train
