#include "time_estimate.hpp"

#include "features.hpp"
#include "iteration_time.hpp"
#include "run.hpp"

#include "../../distributed/ranks.hpp"
#include "../data/loader.hpp"

#include <algorithm>
#include <chrono>

namespace dalib::train {
namespace {

/// The first rank's clock, so that all ranks take the same number of steps.
double estimate_clock() {
  return distributed::ranks::all().of_first(std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

double iteration_seconds(const options& settings, const task& data, method& trained) {
  data::loader source(data.source_train, settings.batch_size, 1, settings.prefetch),
      target(data.target_train, settings.batch_size, 2, settings.prefetch);
  return seconds_per_iteration([&] { trained.step(next_batch<scalar>(source, target)); }, estimate_clock);
}

std::unique_ptr<method> untrained(const options& settings, const task& data, const method_entry& entry) {
  return entry.make(configured(settings.method, data.source_train), io::random_generator(settings.seed));
}

/// One run of a method.
run_work measured_work(const options& settings, const task& data, const method_entry& entry) {
  const auto trained = untrained(settings, data, entry);
  run_work work;
  work.iterations = settings.iterations;
  work.evaluations = (settings.iterations + settings.evaluate_every - 1) / settings.evaluate_every;
  work.iteration_seconds = iteration_seconds(settings, data, *trained);
  const auto size = [](const data::dataset& set) { return static_cast<double>(set.size()); };
  const double scored = std::min(size(data.target_train), static_cast<double>(scored_images));
  work.evaluated = size(data.source_test) + scored + (data.target_test.labelled ? size(data.target_test) : 0);
  work.predicted = size(data.source_test) + scored + size(data.target_test);
  const index_t slice = std::min<index_t>(
      {evaluated_at_once(data.target_train), static_cast<index_t>(settings.batch_size), static_cast<index_t>(data.target_train.size())});
  constexpr measured_share few{.most = 5, .long_enough = 0.3, .too_long = 0.3};
  const auto predict = [&] { trained->predict(image_slice<scalar>(data.target_train, 0, slice).images); };
  work.evaluation_seconds = seconds_per_iteration(predict, estimate_clock, few) / static_cast<double>(slice);
  return work;
}

} // namespace

double measured_iteration_seconds(const options& settings, const task& data, const method_entry& entry) {
  return iteration_seconds(settings, data, *untrained(settings, data, entry));
}

double estimated_seconds(const options& all, task_loader& loader) {
  const std::vector<planned_run> runs = planned_runs(all);
  double total = 0;
  for (const std::string& name : all.methods) {
    const method_entry& entry = find_method(name);
    const options settings = settings_for(all, entry);
    const task data = loader.load(settings.tasks.front(), settings.centre_crop);
    const double seconds = seconds_of(measured_work(settings, data, entry));
    for (const planned_run& run : runs)
      if (run.method == name) total += seconds * static_cast<double>(run.lengths);
  }
  return total;
}

} // namespace dalib::train
