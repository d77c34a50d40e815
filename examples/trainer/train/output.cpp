#include "output.hpp"

#include "report_page.hpp"

#include "../../io/mapped_file.hpp"
#include "../report/results_json.hpp"

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

std::vector<std::filesystem::path> write_output(const run_list& runs, const options& settings, const task& data,
                                                const std::optional<seen_features>& before) {
  const report::table table = comparison_table(runs, settings.select);
  const auto notes = comparison_notes(runs, settings.select);
  const auto document = comparison_json(runs, settings.select, data.name());
  std::vector<std::filesystem::path> written;
  const auto file = [&](const std::string& name) { return written.emplace_back(settings.out / name); };

  report::save_json(file("results.json"), document);
  if (settings.json) report::save_json(written.emplace_back(*settings.json), document);
  std::string markdown = "# " + data.name() + "\n\n" + table.markdown() + "\n";
  for (const std::string& note : notes) markdown += "- " + note + "\n";
  io::write_text_file(file("results.md"), markdown);

  const run_result& best = best_run(runs, settings.select);
  for (const char* const name : {"model.safetensors", "predictions.csv"}) copy_whole(best.folder / name, file(name));

  const std::vector<picture> pictures = draw_pictures(runs, data, settings.pictures);
  for (const picture& p : pictures) io::write_text_file(file(p.name + ".svg"), p.svg);
  report_page(runs, settings, data, pictures, before).save(file("report.html"));
  return written;
}

} // namespace dalib::train
