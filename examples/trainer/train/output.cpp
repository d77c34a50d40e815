#include "output.hpp"

#include "pictures.hpp"

#include "../io/mapped_file.hpp"
#include "../report/html.hpp"
#include "../report/results_json.hpp"

#include <array>
#include <ctime>
#include <fstream>

namespace dalib::train {
namespace {

void require_writable(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) io::fail_file(folder, "cannot make the folder: " + error.message());
  const std::filesystem::path probe = folder / ".dalib-train-probe";
  io::write_text_file(probe, "");
  std::filesystem::remove(probe, error);
}

/// Copies a file, atomically.
void copy_whole(const std::filesystem::path& from, const std::filesystem::path& to) {
  const io::mapped_file source(from);
  io::atomic_file target(to);
  target.write(source.bytes());
  target.commit();
}

/// The processor's name, as Linux tells it.
std::string machine() {
  std::ifstream processors("/proc/cpuinfo");
  std::string name = "unknown";
  for (std::string line; std::getline(processors, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) name = line.substr(line.find(": ") + 2);
  return name + ", " + std::to_string(exec::default_policy{}.workers()) + " threads";
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", std::gmtime(&now))};
}

/// What was asked for, when and where it ran, on how much; then the settings.
std::vector<std::pair<std::string, std::string>> settings_list(const options& o, const run_list& runs, const task& data) {
  const auto count = [](const data::dataset& set) { return std::to_string(set.size()); };
  std::vector<std::pair<std::string, std::string>> list{
      {"command", o.command},
      {"date", date_now()},
      {"machine", machine()},
      {"dalib", DALIB_VERSION},
      {"seeds", std::to_string(o.seeds) + ", from " + std::to_string(o.seed) + "; " + std::to_string(runs.size()) + " runs"},
      {"samples", "source " + count(data.source_train) + " to train on, " + count(data.source_test) + " held out; target " +
                      count(data.target_train) + " without labels, " + count(data.target_test) +
                      (data.target_test.labelled ? " to measure on" : " predicted")},
      {"iterations", std::to_string(settings_for(o, find_method(o.methods.front())).iterations)}};
  const nlohmann::ordered_json description = describe_run(o, o.methods.front(), o.seed);
  for (const auto& [name, value] : description.items())
    if (name != "method") list.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  return list;
}

/// Which classes are taken for which, by the run whose model counts; rows are true classes. Nothing for many classes.
void add_confusion(report::html_report& page, const run_result& best, const task& data) {
  constexpr std::size_t most = 20;
  if (!data.target_test.labelled || data.classes.size() > most) return;
  const auto classes = static_cast<Eigen::Index>(data.classes.size());
  Eigen::MatrixXi counts = Eigen::MatrixXi::Zero(classes, classes);
  for (Eigen::Index row = 0; row < best.target.logits.rows(); ++row) {
    Eigen::Index predicted = 0;
    best.target.logits.row(row).maxCoeff(&predicted);
    ++counts(best.target.labels[static_cast<std::size_t>(row)], predicted);
  }
  std::vector<std::string> header{"class", "accuracy %"};
  for (const std::string& name : data.classes) header.push_back("as " + name);
  report::table table(std::move(header));
  for (Eigen::Index c = 0; c < classes; ++c) {
    const int samples = counts.row(c).sum();
    std::vector<report::cell> cells{{data.classes[static_cast<std::size_t>(c)]},
                                    {samples > 0 ? report::fixed(100.0 * counts(c, c) / samples, 1) : "-"}};
    for (Eigen::Index k = 0; k < classes; ++k) cells.push_back({std::to_string(counts(c, k)), c == k});
    table.add(std::move(cells));
  }
  page.results("Which classes " + best.method + " takes for which", table);
}

} // namespace

void prepare_output(const options& settings) {
  require_writable(settings.out);
  if (!settings.json) return;
  if (std::filesystem::is_directory(*settings.json)) io::fail_file(*settings.json, "is a folder; --json needs the name of a file");
  // Devices and pipes are written as they are; of a link the file behind it counts.
  const std::filesystem::path file = io::follow_links(*settings.json);
  if (io::names_open_file(file) || (std::filesystem::exists(file) && !std::filesystem::is_regular_file(file))) return;
  if (file.has_parent_path()) require_writable(file.parent_path());
}

std::vector<std::filesystem::path> write_output(const run_list& runs, const options& settings, const task& data) {
  const report::table table = comparison_table(runs, settings.select);
  const auto notes = comparison_notes(runs, settings.select);
  const auto document = comparison_json(runs, settings, data.name());
  std::vector<std::filesystem::path> written;
  const auto file = [&](const std::string& name) { return written.emplace_back(settings.out / name); };

  report::save_json(file("results.json"), document);
  if (settings.json) report::save_json(written.emplace_back(*settings.json), document);
  std::string markdown = "# " + data.name() + "\n\n" + table.markdown() + "\n";
  for (const std::string& note : notes) markdown += "- " + note + "\n";
  io::write_text_file(file("results.md"), markdown);

  const run_result& best = best_run(runs, settings.select);
  for (const char* const name : {"model.safetensors", "predictions.csv"}) copy_whole(best.folder / name, file(name));

  report::html_report page("Domain adaptation " + data.name());
  page.results("Results", table);
  page.notes("How to read it", notes);
  if (is_labelled(runs)) page.results("Scores that need no label, and what they are worth here", score_table(runs));
  for (const picture& p : draw_pictures(runs, data, settings.pictures)) {
    io::write_text_file(file(p.name + ".svg"), p.svg);
    page.figure(p.svg, p.caption);
  }
  add_confusion(page, best, data);
  page.settings("Settings", settings_list(settings, runs, data));
  page.save(file("report.html"));
  return written;
}

} // namespace dalib::train
