// dalib_train: trains and compares methods of domain adaptation on the bundled digits.

#include "output.hpp"
#include "run.hpp"
#include "stop_request.hpp"

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

/// Trains everything that was asked for. Returns the finished runs; fewer than asked for mean that a stop was requested.
run_list train_all(const options& settings, const task& data) {
  const std::size_t total = settings.methods.size() * static_cast<std::size_t>(settings.seeds);
  run_list runs;
  for (const std::string& name : settings.methods) {
    for (long k = 0; k < settings.seeds; ++k) {
      const method_entry& entry = method_list::instance().find(name);
      const std::uint64_t seed = settings.seed + static_cast<std::uint64_t>(k);
      const std::filesystem::path folder = settings.out / (entry.name + "-seed-" + std::to_string(seed));
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

int run_program(const options& settings) {
#ifdef _OPENMP
  if (settings.threads > 0) omp_set_num_threads(settings.threads);
#endif
  const task data = load_task(settings.source, settings.target, settings.data);
  prepare_output(settings);
  stop_request::listen();

  const run_list runs = train_all(settings, data);
  if (runs.size() < settings.methods.size() * static_cast<std::size_t>(settings.seeds)) {
    std::cerr << "dalib_train: interrupted; the same call with --resume goes on from here\n";
    return interrupted_code + stop_request::received();
  }
  const auto look = isatty(STDOUT_FILENO) == 1 ? report::emphasis::terminal_bold : report::emphasis::star;
  std::cout << '\n' << data.name() << "\n\n" << comparison_table(runs, settings.select).text(look) << '\n';
  for (const std::string& note : comparison_notes(runs, settings.select)) std::cout << note << '\n';
  std::cout << std::endl;
  for (const auto& file : write_output(runs, settings, data)) std::cout << "wrote " << file.string() << '\n';
  return 0;
}

} // namespace
} // namespace dalib::train

int main(int argc, char** argv) {
  try {
    const auto parsed = dalib::train::parse_options(argc, argv);
    return parsed.settings ? dalib::train::run_program(*parsed.settings) : parsed.exit_code;
  } catch (const std::exception& error) {
    std::cerr << "dalib_train: " << error.what() << '\n';
    return 1;
  }
}
