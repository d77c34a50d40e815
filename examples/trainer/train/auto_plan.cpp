#include "auto_plan.hpp"

#include "auto_candidates.hpp"
#include "checks.hpp"
#include "time_estimate.hpp"

#include "../../distributed/ranks.hpp"
#include "../../io/mapped_file.hpp"
#include "../report/results_json.hpp"

#include <algorithm>
#include <iostream>
#include <map>

namespace dalib::train {
namespace {

std::filesystem::path plan_file(const options& all) { return all.out / "auto-plan.json"; }

long read_plan(const options& all) {
  if (!std::filesystem::exists(plan_file(all))) return 0;
  const io::mapped_file file(plan_file(all));
  const auto* const text = reinterpret_cast<const char*>(file.bytes().data());
  try {
    const auto plan = nlohmann::ordered_json::parse(text, text + file.bytes().size());
    const bool same =
        plan.at("budget_seconds").get<double>() == all.budget.seconds && plan.at("iterations").get<long>() == iterations_of_candidate(all);
    const long trainings = plan.at("trainings").get<long>();
    if (trainings < 1 || trainings > most_trainings) throw std::out_of_range("its number of trainings is " + std::to_string(trainings));
    return same ? trainings : 0;
  } catch (const std::exception& problem) {
    throw std::runtime_error(plan_file(all).string() + ": is not a plan of --method auto (" + problem.what() +
                             "); without the file a new one is made");
  }
}

} // namespace

long stored_trainings(const options& all) {
  const auto& ranks = distributed::ranks::all();
  return ranks.of_first(ranks.first() ? read_plan(all) : 0L);
}

long plan_trainings(const options& all, const task& data, const run_list& runs) {
  const auto& ranks = distributed::ranks::all();
  const run_result& first = runs.back();
  const double iterating = static_cast<double>(first.iterations) * first.milliseconds / 1000, besides = first.seconds - iterating;
  std::map<std::string_view, double> each;
  for (const std::string_view method : auto_candidates) {
    const method_entry& entry = find_method(method);
    each[method] =
        entry.name == first.method ? first.milliseconds / 1000 : measured_iteration_seconds(settings_for(all, entry), data, entry);
  }
  double before = 0; // the order begins with the first training
  for (const run_result& run : runs) before += run.seconds;
  before -= first.seconds;
  const auto cost = [&](std::string_view method) { return each.at(method); };
  options planned = all;
  planned.trainings = ranks.of_first(std::max(trainings_for(all, all.budget.seconds - before, cost, besides), 1L));
  std::cout << "budget: " << spoken_time(before + first.seconds) << " of " << spoken_time(all.budget.seconds)
            << " are spent, the first training took " << spoken_time(first.seconds) << "; trainings in all: " << planned.trainings
            << std::endl;
  if (!ranks.first()) return planned.trainings;
  nlohmann::ordered_json plan{{"budget_seconds", all.budget.seconds},
                              {"iterations", iterations_of_candidate(all)},
                              {"trainings", planned.trainings},
                              {"runs", nlohmann::ordered_json::array()}};
  for (const planned_run& run : planned_runs(planned)) plan["runs"].push_back({{"method", run.name()}, {"seed", run.seed}});
  plan["seconds"] = {{"before", before}, {"first_training", first.seconds}, {"of_that_evaluations", besides}};
  for (const auto& [method, seconds] : each) plan["seconds"]["iteration"][std::string(method)] = seconds;
  report::save_json(plan_file(all), plan);
  return planned.trainings;
}

} // namespace dalib::train
