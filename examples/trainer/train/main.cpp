// dalib_train: trains and compares methods of domain adaptation on the bundled digits and on image data sets.

#include "output.hpp"
#include "run.hpp"
#include "stop_request.hpp"

#include "../../autodiff/short_spinning.hpp"
#include "../io/checkpoint.hpp"
#include "../report/results_json.hpp"
#include "../report/terminal.hpp"

#include <exception>
#include <iostream>
#include <unistd.h>

#ifdef _OPENMP
#  include <omp.h>
#endif

namespace dalib::train {
namespace {

constexpr int interrupted_code = 128;

/// More runs than this are shown by their result alone.
constexpr std::size_t most_detailed_runs = 3;

std::string title_of(const method_entry& entry, std::uint64_t seed, std::size_t number, std::size_t total) {
  return entry.name + ", seed " + std::to_string(seed) +
         (total > 1 ? " (run " + std::to_string(number) + " of " + std::to_string(total) + ")" : "");
}

std::filesystem::path run_folder(const options& settings, const std::string& method, std::uint64_t seed) {
  return settings.out / (method + "-seed-" + std::to_string(seed));
}

/// Throws std::runtime_error if a run that was begun earlier would be lost.
void refuse_to_replace(const options& settings) {
  if (settings.resume || settings.overwrite) return;
  for (const std::string& method : settings.methods)
    for (long k = 0; k < settings.seeds; ++k) {
      const std::filesystem::path folder = run_folder(settings, method, settings.seed + static_cast<std::uint64_t>(k));
      if (io::checkpoint_exists(training_run::checkpoint_in(folder)))
        throw std::runtime_error(folder.string() +
                                 ": has an earlier run; --resume goes on with it, --overwrite replaces it, another --out keeps it");
    }
}

std::size_t run_count(const options& settings) { return settings.methods.size() * static_cast<std::size_t>(settings.seeds); }

/// Trains everything that was asked for on one task, the first of the settings. Returns the finished runs; fewer than run_count mean that a
/// stop was requested.
run_list train_all(const options& all, task_loader& loader) {
  const std::size_t total = run_count(all);
  run_list runs;
  for (const std::string& name : all.methods) {
    const method_entry& entry = find_method(name);
    const options settings = settings_for(all, entry);
    const task data = loader.load(settings.tasks.front(), settings.centre_crop);
    for (long k = 0; k < settings.seeds; ++k) {
      const std::uint64_t seed = settings.seed + static_cast<std::uint64_t>(k);
      const std::filesystem::path folder = run_folder(settings, entry.name, seed);
      std::filesystem::create_directories(folder);
      training_run run(settings, data, entry, seed, folder);
      std::cout << title_of(entry, seed, runs.size() + 1, total) << (run.start_message().empty() ? "" : ": " + run.start_message())
                << std::endl;

      report::progress display(report::open_terminal(STDOUT_FILENO), settings.iterations, run.iteration(), settings.evaluate_every);
      if (!run.train(display, total <= most_detailed_runs)) return runs;
      runs.push_back(run.finish());
      const run_result& done = runs.back();
      std::cout << "  target " << report::fixed(done.chosen.target_accuracy, 1) << "%, source "
                << report::fixed(done.chosen.source_accuracy, 1) << "%, " << report::fixed(done.milliseconds, 1) << " ms per iteration"
                << std::endl;
    }
  }
  return runs;
}

/// Trains and reports one task. Returns whether it was finished.
bool run_task(const options& settings, task_loader& loader, report::result_set& results) {
  const task data = loader.load(settings.tasks.front(), false);
  prepare_output(settings);
  const run_list runs = train_all(settings, loader);
  if (runs.size() < run_count(settings)) return false;
  for (const run_result& run : runs) results.add(run.method, data.name(), run.chosen.target_accuracy);
  const auto look = isatty(STDOUT_FILENO) == 1 ? report::emphasis::terminal_bold : report::emphasis::star;
  std::cout << '\n' << data.name() << "\n\n" << comparison_table(runs, settings.select).text(look) << '\n';
  for (const std::string& note : comparison_notes(runs, settings.select)) std::cout << note << '\n';
  std::cout << std::endl;
  for (const auto& file : write_output(runs, settings, data)) std::cout << "wrote " << file.string() << '\n';
  return true;
}

/// The table of all tasks with the averages, on the terminal and in the folder of --out.
void report_all_tasks(const options& settings, const report::result_set& results) {
  const report::table table = report::results_table(results);
  std::cout << '\n' << table.text() << std::endl;
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
  const bool several = settings.tasks.size() > 1;
  if (several) prepare_output(settings);
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
    refuse_to_replace(one);
    all.push_back(std::move(one));
  }
  for (const options& one : all) {
    if (!run_task(one, loader, results)) {
      std::cerr << "dalib_train: interrupted; the same call with --resume goes on from here\n";
      return interrupted_code + stop_request::received();
    }
  }
  if (several) report_all_tasks(settings, results);
  return 0;
}

} // namespace
} // namespace dalib::train

int main(int argc, char** argv) {
  dalib::spin_briefly(argv);
  try {
    const auto parsed = dalib::train::parse_options(argc, argv);
    return parsed.settings ? dalib::train::run_program(*parsed.settings) : parsed.exit_code;
  } catch (const std::exception& error) {
    std::cerr << "dalib_train: " << error.what() << '\n';
    return 1;
  }
}
