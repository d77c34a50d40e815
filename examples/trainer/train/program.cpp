// dalib_train: trains and compares methods of domain adaptation on the bundled digits and on image data sets.

#include "program.hpp"

#include "auto_choice.hpp"
#include "auto_plan.hpp"
#include "checks.hpp"
#include "output.hpp"
#include "report_page.hpp"
#include "run.hpp"
#include "stop_request.hpp"
#include "time_estimate.hpp"

#include "../../distributed/ranks.hpp"
#include "../../io/checkpoint.hpp"
#include "../report/results_json.hpp"
#include "../report/terminal.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <optional>
#include <unistd.h>

#ifdef _OPENMP
#  include <omp.h>
#endif

namespace dalib::train {
namespace {

constexpr int interrupted_code = 128;
constexpr int wrong_arguments = 2;

/// More runs than this are shown by their result alone.
constexpr std::size_t most_detailed_runs = 3;

/// @param open more runs may follow than are known yet
std::string title_of(const planned_run& run, std::size_t number, std::size_t total, bool open) {
  const std::string place = std::to_string(number) + " of " + (open ? "at least " : "") + std::to_string(total);
  return run.name() + ", seed " + std::to_string(run.seed) + (total > 1 || open ? " (run " + place + ")" : "");
}

std::filesystem::path run_folder(const options& settings, const planned_run& run) {
  return settings.out / (run.name() + "-seed-" + std::to_string(run.seed));
}

/// Throws std::runtime_error if a run that was begun earlier would be lost.
void refuse_to_replace(const options& settings) {
  if (settings.resume || settings.overwrite) return;
  for (const planned_run& run : planned_runs(settings)) {
    const std::filesystem::path folder = run_folder(settings, run);
    if (io::checkpoint_exists(training_run::checkpoint_in(folder)))
      throw std::runtime_error(folder.string() +
                               ": has an earlier run; --resume goes on with it, --overwrite replaces it, another --out keeps it");
  }
}

/// The display of a run; ranks that are not the first show nothing.
report::terminal own_terminal() {
  report::terminal out = report::open_terminal(STDOUT_FILENO);
  if (!distributed::ranks::all().first()) out.write = [](std::string_view) {};
  return out;
}

/// One run. Nothing if a stop was requested.
/// @param title    of the run, printed before it
/// @param detailed also shows the evaluations
std::optional<run_result> train_one(const options& settings, const task& data, const planned_run& planned, const std::string& title,
                                    bool detailed) {
  const std::filesystem::path folder = run_folder(settings, planned);
  if (distributed::ranks::all().first()) std::filesystem::create_directories(folder);
  training_run run(settings, data, find_method(planned.method), planned.seed, folder);
  std::cout << title << (run.start_message().empty() ? "" : ": " + run.start_message()) << std::endl;
  report::progress display(own_terminal(), settings.iterations, run.iteration(), settings.evaluate_every);
  if (!run.train(display, detailed)) return std::nullopt;
  run_result done = run.finish();
  done.method = planned.name();
  std::cout << "  ";
  if (data.target_test.labelled) std::cout << "target " << report::fixed(done.chosen.target_accuracy, 1) << "%, ";
  std::cout << "source " << report::fixed(done.chosen.source_accuracy, 1) << "%, score " << report::fixed(done.chosen.score(), 1) << ", "
            << report::fixed(done.milliseconds, 1) << " ms per iteration" << std::endl;
  return done;
}

/// Says of each run of --method auto that adapts where it stands among them, and writes that and which one is chosen.
void choose(run_list& runs, const options& all) {
  const auto adapts = [](const run_result& run) { return !run.method.starts_with("source-only"); };
  std::vector<Eigen::MatrixXf> logits;
  for (const run_result& run : runs)
    if (adapts(run)) logits.push_back(run.unlabelled);
  const std::vector<standing> found = standings(logits);
  auto next = found.begin();
  nlohmann::ordered_json document;
  for (run_result& run : runs) {
    if (!adapts(run)) continue;
    const standing& own = *next++;
    run.among = own;
    document["candidates"].push_back(
        {{"method", run.method}, {"seed", run.seed}, {"agreement", own.agreement}, {"balance", own.balance}, {"value", own.value()}});
  }
  const run_result& best = best_run(runs, all.select);
  document["chosen"] = {{"method", best.method}, {"seed", best.seed}};
  if (distributed::ranks::all().first()) report::save_json(all.out / "auto.json", document);
  std::cout << "chosen without labels: " << best.method << ", seed " << best.seed << "; it agrees with the mean of all candidates on "
            << report::fixed(100 * best.among->agreement, 1) << "% of the unlabelled samples, and the balance of its classes is "
            << report::fixed(best.among->balance, 3) << std::endl;
}

/// Those of one method together, methods in the order of their first runs.
run_list grouped_by_method(run_list runs) {
  const auto place_of = [first = methods_of(runs)](const run_result& run) { return std::find(first.begin(), first.end(), run.method); };
  std::stable_sort(runs.begin(), runs.end(), [&](const run_result& a, const run_result& b) { return place_of(a) < place_of(b); });
  return runs;
}

/// Trains everything that was asked for on one task, the first of the settings. Nothing if a stop was requested.
std::optional<run_list> train_all(options all, task_loader& loader) {
  if (all.budget.seconds > 0 && all.resume) all.trainings = stored_trainings(all);
  run_list runs;
  std::vector<planned_run> planned = planned_runs(all);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const options settings = settings_of(all, planned[i]);
    const task data = loader.load(settings.tasks.front(), settings.centre_crop);
    const bool open = all.budget.seconds > 0 && all.trainings == 0;
    auto done =
        train_one(settings, data, planned[i], title_of(planned[i], i + 1, planned.size(), open), planned.size() <= most_detailed_runs);
    if (!done) return std::nullopt;
    runs.push_back(std::move(*done));
    if (!open || i + 1 < planned.size()) continue;
    all.trainings = plan_trainings(all, data, runs);
    planned = planned_runs(all);
  }
  if (!all.automatic) return runs;
  runs = grouped_by_method(std::move(runs));
  choose(runs, all);
  return runs;
}

/// The settings of a task of own data: what its sizes and labels say. Prints what was found.
options adapt_to_data(options settings, task_loader& loader) {
  const own_data& data = loader.own(settings.tasks.front());
  settings.data.own.class_names = data.classes();
  settings.data.own.source_size = static_cast<long>(data.source().size());
  const data_report found = check_data(data, settings.data.skip_unreadable);
  for (const std::string& line : found.lines) std::cout << line << '\n';
  for (const std::string& warning : found.warnings) std::cout << "note: " << warning << '\n';
  const bool labelled = data.target().labelled() || data.target_test().size() > 0;
  if (!labelled && settings.select == selection::oracle) throw data::wrong_input("--select oracle needs labels of the target");
  if (!labelled && !settings.given.contains("--select")) settings.select = selection::score;
  const std::size_t fewest = std::min(data.source().size(), data.target().size());
  if (!settings.given.contains("--batch-size")) settings.batch_size = std::max<std::size_t>(std::min(settings.batch_size, fewest / 2), 1);
  if (settings.data.backbone.arch.starts_with("resnet") && !settings.data.backbone.weights)
    std::cout << (settings.data.frozen_backbone
                      ? "note: the frozen backbone holds random numbers, behind which little can be learnt; --weights gives it what was "
                        "learnt on "
                        "other images\n"
                      : "note: the network starts from random numbers; --weights gives it what was learnt on other images\n");
  std::cout << std::flush;
  return settings;
}

/// Says how long training will take, where it is long or was asked for.
void tell_time(const options& settings, task_loader& loader) {
  const double seconds = estimated_seconds(settings, loader);
  constexpr double long_time = 60, too_long = 3600;
  if (seconds < long_time && !settings.dry_run) return;
  std::cout << "training " << planned_runs(settings).size() << " runs will take about " << spoken_time(seconds)
            << (settings.budget.seconds > 0 ? "; as many more follow as the budget pays for\n" : "\n");
  if (seconds > too_long && settings.data.backbone.arch.starts_with("resnet") && !settings.data.frozen_backbone)
    std::cout << "note: --frozen-backbone" << (settings.data.backbone.weights ? "" : ", with --weights,")
              << " computes the features once and trains what is behind them, in minutes\n";
  std::cout << std::flush;
}

/// Trains and reports one task. Returns whether it was finished.
bool run_task(const options& asked, task_loader& loader, report::result_set& results) {
  const bool own = asked.data.is_own();
  const options settings = own ? adapt_to_data(asked, loader) : asked;
  const task data = loader.load(settings.tasks.front(), false);
  const bool first = distributed::ranks::all().first();
  if (!settings.dry_run && first) prepare_output(settings);
  if (own) tell_time(settings, loader);
  if (settings.dry_run) return true;
  const auto trained = train_all(settings, loader);
  if (!trained) return false;
  const run_list& runs = *trained;
  const auto before = seen_before_training(runs, settings, data);
  if (!first) return true;
  for (const run_result& run : runs) results.add(run.method, data.name(), run.chosen.target_accuracy);
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const auto look = terminal ? report::emphasis::terminal_bold : report::emphasis::star;
  std::cout << '\n' << data.name() << "\n\n" << comparison_table(runs, settings.select).text(look) << '\n';
  std::cout << (terminal ? "Bold" : "*") << ": the best mean of the first column of numbers.\n";
  for (const std::string& note : comparison_notes(runs, settings.select)) std::cout << note << '\n';
  const run_result& best = best_run(runs, settings.select);
  std::cout << "model.safetensors and predictions.csv are of " << best.method << ", seed " << best.seed
            << (settings.automatic ? ": what agrees best with the others and has classes in balance.\n"
                                   : ": the best score of the runs that adapt.\n")
            << std::endl;
  for (const auto& file : write_output(runs, settings, data, before)) std::cout << "wrote " << file.string() << '\n';
  return true;
}

/// The table of all tasks with the averages, on the terminal and in the folder of --out.
void report_all_tasks(const options& settings, const report::result_set& results) {
  const report::table table = report::results_table(results);
  std::cout << '\n' << table.text() << "*: the best mean of a column\n" << std::endl;
  io::write_text_file(settings.out / "results.md", "# Target accuracy, %\n\n" + table.markdown());
  const auto document = report::results_json(results, {{"data", settings.data.name}, {"select", to_string(settings.select)}});
  report::save_json(settings.out / "results.json", document);
  if (settings.json) report::save_json(*settings.json, document);
}

int run_program(const options& settings) {
#ifdef _OPENMP
  if (settings.threads > 0) omp_set_num_threads(settings.threads);
#endif
  stop_request::listen();
  std::error_code error;
  distributed::ranks::all().local_batch_norm = settings.local_batch_norm;
  distributed::ranks::all().gradient_bucket = 1024 * distributed::ranks::all().of_first(settings.gradient_bucket); // or they would not meet
  const bool first = distributed::ranks::all().first();
  const bool nothing_there = !std::filesystem::exists(settings.out, error) || std::filesystem::is_empty(settings.out, error);
  if (first && settings.resume && nothing_there)
    throw data::wrong_input("--resume: there is nothing in " + settings.out.string() + " to go on with");
  const bool several = settings.tasks.size() > 1 && !settings.dry_run;
  if (several && first) prepare_output(settings);
  task_loader loader(settings.data);
  report::result_set results;
  std::vector<options> all;
  for (const task_names& names : settings.tasks) {
    options one = settings;
    one.tasks = {names};
    if (several) {
      const auto stem = [](const std::string& name) { return std::filesystem::path(name).stem().string(); }; // lists are files
      one.out = settings.out / (stem(names.source) + "-" + stem(names.target));
      one.json.reset();
    }
    if (first && !one.dry_run) refuse_to_replace(one);
    all.push_back(std::move(one));
  }
  for (const options& one : all) {
    if (!run_task(one, loader, results)) {
      if (first) std::cerr << "dalib_train: interrupted; the same call with --resume goes on from here\n";
      return interrupted_code + stop_request::received_by_any();
    }
  }
  if (several && first) report_all_tasks(settings, results);
  return 0;
}

/// Says why the program ends. What ended all ranks is said once; a rank that failed alone, while others wait for it, ends all.
int fail(const std::exception& error, int code) {
  const auto& ranks = distributed::ranks::all();
  const bool together = ranks.all_fail();
  if (!together)
    std::cerr << "dalib_train: rank " + std::to_string(ranks.rank()) + ": " + error.what() + "\n";
  else if (ranks.first())
    std::cerr << "dalib_train: " << error.what() << '\n';
  std::cerr.flush();
  if (!together) ranks.abort(code);
  return code;
}

} // namespace

int run_command(int argc, const char* const* argv) {
  try {
    std::streambuf* const errors =
        distributed::ranks::all().first() ? std::cerr.rdbuf() : nullptr; // all ranks complain of the same arguments
    std::streambuf* const before = std::cerr.rdbuf(errors);
    const auto parsed = parse_options(argc, argv);
    std::cerr.rdbuf(before);
    return parsed.settings ? run_program(*parsed.settings) : parsed.exit_code;
  } catch (const data::wrong_input& error) {
    return fail(error, wrong_arguments);
  } catch (const std::exception& error) {
    return fail(error, 1);
  }
}

} // namespace dalib::train
