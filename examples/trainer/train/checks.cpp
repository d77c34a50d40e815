#include "checks.hpp"

#include "../../autodiff/parallel.hpp"
#include "../image/decode.hpp"
#include "../report/text.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>

namespace dalib::train {
namespace {

using data::input;

/// What was found out about one sample.
struct sample_facts {
  std::uint64_t fingerprint = 0;
  std::ptrdiff_t width = 0, height = 0;
  std::string problem;
  bool decoded = false;
};

/// FNV-1a over words of 8 bytes.
std::uint64_t fingerprint(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min<std::size_t>(bytes.size(), 8);
    std::memcpy(&word, bytes.data(), size);
    hash = io::splitmix64((hash ^ word) * 0x100000001b3U);
    bytes = bytes.subspan(size);
  }
  return hash;
}

template <class T>
std::span<const std::byte> bytes_of(const T* first, Eigen::Index count) {
  return std::as_bytes(std::span(first, static_cast<std::size_t>(count)));
}

class deadline {
public:
  explicit deadline(double seconds) : end_(now() + seconds) {}
  bool passed() const { return now() > end_; }

private:
  static double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
  double end_;
};

sample_facts facts_of_file(const std::filesystem::path& path, const deadline& end) {
  sample_facts facts;
  try {
    const io::mapped_file file(path);
    facts.fingerprint = fingerprint(file.bytes());
    if (end.passed()) return facts;
    const image::rgb_image decoded = image::decode(file.bytes(), path);
    facts.width = decoded.width;
    facts.height = decoded.height;
    facts.decoded = true;
  } catch (const std::runtime_error& error) {
    facts.problem = error.what();
  }
  return facts;
}

std::uint64_t fingerprint_of_row(const input& samples, std::size_t i) {
  const auto row = static_cast<Eigen::Index>(i);
  if (samples.table.values.rows() > 0) return fingerprint(bytes_of(samples.table.values.row(row).data(), samples.table.values.cols()));
  if (!samples.array) return fingerprint(bytes_of(samples.values.row(row).data(), samples.values.cols()));
  const io::tensor_view& array = samples.array->array();
  const std::size_t size = array.bytes.size() / static_cast<std::size_t>(array.shape[0]);
  return fingerprint(array.bytes.subspan(samples.rows[i] * size, size));
}

std::vector<sample_facts> look_at(const input& samples, const deadline& end) {
  std::vector<sample_facts> facts(samples.size());
  ad::parallel_for(static_cast<ad::index_t>(facts.size()), [&](ad::index_t i) {
    const auto place = static_cast<std::size_t>(i);
    if (samples.is_files())
      facts[place] = facts_of_file(samples.files[place], end);
    else
      facts[place].fingerprint = fingerprint_of_row(samples, place);
  });
  return facts;
}

std::string describe_sizes(const std::vector<sample_facts>& facts) {
  std::ptrdiff_t least = 0, most = 0, decoded = 0;
  std::pair<std::ptrdiff_t, std::ptrdiff_t> smallest, largest;
  for (const sample_facts& one : facts) {
    if (!one.decoded) continue;
    const std::ptrdiff_t pixels = one.width * one.height;
    if (decoded == 0 || pixels < least) least = pixels, smallest = {one.width, one.height};
    if (decoded == 0 || pixels > most) most = pixels, largest = {one.width, one.height};
    ++decoded;
  }
  const auto size = [](const auto& pair) { return std::to_string(pair.first) + " x " + std::to_string(pair.second); };
  if (decoded == 0) return "";
  return smallest == largest ? ", " + size(smallest) + " pixels" : ", " + size(smallest) + " to " + size(largest) + " pixels";
}

std::string describe_input(const std::string& role, const input& samples, const std::vector<sample_facts>& facts) {
  const char* const unit = samples.is_files() || samples.geometry.height > 1 ? " images" : " rows";
  std::string line = role + " " + samples.path.string() + " (" + data::to_string(samples.kind) +
                     "): " + report::grouped(static_cast<long long>(samples.size())) + unit;
  if (samples.geometry.height == 1) line += " of " + std::to_string(samples.geometry.channels) + " numbers";
  line += describe_sizes(facts);
  if (!samples.labelled()) return line + ", no labels";
  std::map<std::string, long> counts;
  for (const std::string& label : samples.labels) ++counts[label];
  const auto [fewest, most] =
      std::minmax_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return line + ", " + std::to_string(counts.size()) + " classes of " + std::to_string(fewest->second) +
         (fewest->second == most->second ? "" : " to " + std::to_string(most->second));
}

void warn_of_small_classes(const input& source, data_report& report) {
  constexpr long few = 10;
  std::map<std::string, long> counts;
  for (const std::string& label : source.labels) ++counts[label];
  for (const auto& [label, count] : counts)
    if (count < few)
      report.warnings.push_back("class '" + label + "' of the source has " + std::to_string(count) +
                                " samples to train on; under 10 is little");
}

void warn_of_duplicates(const input& source, const std::vector<sample_facts>& source_facts, const input& target,
                        const std::vector<sample_facts>& target_facts, data_report& report) {
  std::map<std::uint64_t, std::size_t> known;
  for (std::size_t i = 0; i < source_facts.size(); ++i)
    if (source_facts[i].fingerprint != 0) known.emplace(source_facts[i].fingerprint, i);
  std::size_t count = 0;
  std::string first;
  for (std::size_t i = 0; i < target_facts.size(); ++i) {
    const auto found = known.find(target_facts[i].fingerprint);
    if (found == known.end()) continue;
    if (count++ == 0) first = target.sample_name(i) + " is " + source.sample_name(found->second);
  }
  if (count > 0) report.warnings.push_back(std::to_string(count) + " samples of the target are in the source too (" + first + ")");
}

void note_unreadable(const std::vector<sample_facts>& facts, std::vector<std::string>& problems) {
  for (const sample_facts& one : facts)
    if (!one.problem.empty()) problems.push_back(one.problem);
}

} // namespace

data_report check_data(const own_data& data, bool skip_unreadable) {
  constexpr double longest = 30;
  const deadline end(longest);
  data_report report;
  std::vector<std::string> problems;
  const auto source = look_at(data.source(), end), target = look_at(data.target(), end);
  report.lines.push_back(describe_input("source", data.source(), source));
  report.lines.push_back(describe_input("target", data.target(), target));
  note_unreadable(source, problems);
  note_unreadable(target, problems);
  for (const auto& [role, samples] : {std::pair{"validation", &data.validation()}, {"target test", &data.target_test()}}) {
    if (samples->size() == 0) continue;
    const auto facts = look_at(*samples, end);
    report.lines.push_back(describe_input(role, *samples, facts));
    note_unreadable(facts, problems);
  }
  for (const input* const samples : {&data.source(), &data.target()})
    report.warnings.insert(report.warnings.end(), samples->remarks.begin(), samples->remarks.end());
  warn_of_small_classes(data.source(), report);
  warn_of_duplicates(data.source(), source, data.target(), target, report);
  if (end.passed()) report.warnings.push_back("there are too many images to decode all of them now; the rest is read in training");

  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), shown); ++i) text += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > shown) text += "; and " + std::to_string(problems.size() - shown) + " more";
  if (problems.empty()) return report;
  const std::string sentence = std::to_string(problems.size()) + " files cannot be read: " + text;
  if (!skip_unreadable) throw std::runtime_error(sentence + " (--unreadable skip goes on without them)");
  report.warnings.push_back(sentence);
  return report;
}

std::string spoken_time(double seconds) {
  if (seconds < 90) return report::fixed(seconds, 0) + " s";
  if (seconds < 90 * 60) return report::fixed(seconds / 60, 0) + " min";
  return report::fixed(seconds / 3600, 1) + " h";
}

} // namespace dalib::train
