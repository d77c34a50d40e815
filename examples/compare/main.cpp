// dalib_compare: do two files of numbers follow one law?

#include "../autodiff/short_spinning.hpp"
#include "../io/atomic_file.hpp"
#include "../trainer/train/stop_request.hpp"
#include "comparison.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <unistd.h>

namespace dalib::compare {
namespace {

constexpr const char* introduction =
    R"(Tests whether two files of numbers, a row for each case and a column for each feature, follow one law.

Example: dalib_compare before.csv after.csv --report page.html
Files: .npy, .csv (with or without a header line), .tsv, .txt, .safetensors (FILE:NAME chooses a tensor).
Exit code: 0 no evidence of a difference, 10 different, 1 failed, 2 wrong arguments, 130 interrupted.)";

void add_options(CLI::App& app, options& o) {
  std::vector<std::string> tests = test_names();
  tests.insert(tests.end(), {"auto", "all"});
  app.add_option("first", o.first, "First file")->required();
  app.add_option("second", o.second, "Second file")->required();
  app.add_option("--test", o.test, "auto: aggregated (MMDAgg), or nystrom for more than 10000 rows")
      ->check(CLI::IsMember(tests))
      ->capture_default_str();
  app.add_option("--alpha", o.alpha, "Level: how often equal laws may be called different")
      ->check([](const std::string& text) {
        const double value = std::strtod(text.c_str(), nullptr);
        return value > 0 && value < 1 ? std::string{} : "must be in (0, 1)";
      })
      ->capture_default_str();
  app.add_option("--permutations", o.permutations, "Number of draws")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--seed", o.seed, "Of the draws: the same seed gives the same answer")->capture_default_str();
  app.add_option("--kernel", o.kernel, "Kernel of the tests with one kernel")
      ->check(CLI::IsMember({"gaussian", "laplacian", "laplacian-l1", "inverse-multiquadric", "energy"}))
      ->capture_default_str();
  app.add_option("--bandwidth", o.bandwidth, "Its length; 0: the median distance")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--rows", o.rows, "At most so many rows of each file, drawn at random; 0: all")->check([](const std::string& text) {
    const double value = std::strtod(text.c_str(), nullptr);
    return value == 0 || value >= 4 ? std::string{} : "must be 0 or at least 4";
  });
  app.add_flag("--standardise", o.standardise, "Each feature to mean 0 and deviation 1 over both files");
  app.add_option("--threads", o.threads, "0: as many as there are; the answer does not depend on it")->check(CLI::Range(0, 1024));
  app.add_option("--json", o.json, "Also writes the answer to this file; - is the standard output");
  app.add_option("--report", o.report, "Also writes a page to this file");
}

/// One line on a terminal: what is being done, and for how long already.
class status_line {
public:
  status_line() : shown_(isatty(STDERR_FILENO) != 0) {}
  ~status_line() { clear(); }
  status_line(const status_line&) = delete;
  status_line& operator=(const status_line&) = delete;

  void begin(const std::string& what) {
    what_ = what;
    started_ = last_ = clock::now();
    show("");
  }
  /// Called often; looks at the time, and seldom at more.
  void pulse() {
    const auto now = clock::now();
    if (!shown_ || now - last_ < std::chrono::milliseconds(500)) return;
    last_ = now;
    show(", " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - started_).count()) + " s (Ctrl-C stops)");
  }
  void clear() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  }

private:
  using clock = std::chrono::steady_clock;

  void show(const std::string& more) {
    clear();
    if (shown_) std::cerr << what_ << more << std::flush;
  }

  bool shown_;
  std::string what_;
  clock::time_point started_{}, last_{};
};

/// Before hours are spent on what cannot be written.
void require_writable(const std::string& path) {
  if (!path.empty() && path != "-") const io::atomic_file never_committed(path);
}

int run(const options& o) {
  train::stop_request::listen();
  require_writable(o.json);
  require_writable(o.report);
  status_line line;
  const auto stopped = [] { return train::stop_request::received() != 0; };
  const auto tell = [&](const std::string& what) {
    if (stopped()) throw interrupted{};
    line.begin(what);
  };
  const comparison result = run_comparison(o, {tell, {stopped, [&] { line.pulse(); }}});
  if (!o.report.empty()) save_report(result, o);
  line.clear();
  if (o.json == "-") {
    std::cout << json_of(result, o);
  } else {
    if (!o.json.empty()) io::write_text_file(o.json, json_of(result, o));
    for (const std::string& note : result.notes) std::cout << "note: " << note << '\n';
    for (const finding& f : result.findings)
      std::printf("%-15s statistic %-12.5g threshold %-12.5g p %-10.4g %s (%s)\n", f.test.c_str(), f.statistic, f.threshold, f.p_value,
                  f.reject ? "different" : "no evidence", f.remark.c_str());
    std::fflush(stdout);
    std::cout << sentence_of(result, o) << '\n';
  }
  constexpr int different = 10;
  return result.different() ? different : 0;
}

} // namespace
} // namespace dalib::compare

int main(int argc, char** argv) {
  dalib::spin_briefly(argv);
  dalib::compare::options options;
  CLI::App app(dalib::compare::introduction, "dalib_compare");
  dalib::compare::add_options(app, options);
  try {
    app.parse(argc, argv);
    return dalib::compare::run(options);
  } catch (const CLI::ParseError& error) {
    constexpr int wrong_arguments = 2;
    return app.exit(error) == 0 ? 0 : wrong_arguments;
  } catch (const dalib::compare::interrupted&) {
    std::cerr << "dalib_compare: stopped; nothing was written\n";
    return 130;
  } catch (const std::exception& error) {
    std::cerr << "dalib_compare: " << error.what() << '\n';
    return 1;
  }
}
