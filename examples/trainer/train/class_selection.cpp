#include "class_selection.hpp"

#include "task.hpp"

#include "../data/image_files.hpp"
#include "../data/nearest.hpp"

#include <algorithm>
#include <utility>

namespace dalib::train {
namespace {

using data::wrong_input;

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return text + (names.size() > most ? ", ..." : "");
}

[[noreturn]] void fail_unknown_name(const char* option, const std::string& name, const std::vector<std::string>& classes) {
  throw wrong_input(std::string(option) + ": there is no class '" + name + "'; classes are " + listed(classes) +
                    data::did_you_mean(name, classes));
}

/// For each class whether it is chosen; all are where nothing was said.
std::vector<bool> chosen_classes(const std::vector<std::string>& chosen, const std::vector<std::string>& classes, const char* option) {
  std::vector<bool> kept(classes.size(), chosen.empty());
  for (const std::string& name : chosen) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) fail_unknown_name(option, name, classes);
    kept[static_cast<std::size_t>(found - classes.begin())] = true;
  }
  return kept;
}

/// The samples of these rows, in this order.
data::dataset rows_of(const data::dataset& all, const std::vector<std::size_t>& rows) {
  data::dataset result = all;
  result.labels.clear();
  result.sample_names.clear();
  for (const std::size_t row : rows) {
    result.labels.push_back(all.labels[row]);
    if (!all.sample_names.empty()) result.sample_names.push_back(all.sample_names[row]);
  }
  if (all.source) {
    const auto* files = dynamic_cast<const data::image_files*>(all.source.get());
    if (files == nullptr) throw wrong_input(all.name + ": classes of these samples cannot be chosen");
    result.source = files->of_rows(rows);
  } else {
    const std::vector<Eigen::Index> numbers(rows.begin(), rows.end());
    result.images = all.images(numbers, Eigen::all);
  }
  return result;
}

/// Keeps the classes that are chosen, of which class c is now number places[c].
void keep(data::dataset& set, const std::vector<bool>& chosen, const std::vector<int>& places, int classes, const char* option) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    if (chosen[static_cast<std::size_t>(set.labels[i])]) rows.push_back(i);
  if (rows.empty()) throw wrong_input(std::string(option) + ": " + set.name + " has no samples of these classes");
  if (rows.size() < set.labels.size()) set = rows_of(set, rows);
  for (int& label : set.labels) label = places[static_cast<std::size_t>(label)];
  set.classes = classes;
}

} // namespace

void select_classes(task& t, const class_selection& choice) {
  if (!choice.any()) return;
  const std::vector<bool> of_source = chosen_classes(choice.source, t.classes, "--source-classes"),
                          of_target = chosen_classes(choice.target, t.classes, "--target-classes");
  std::vector<std::string> names;
  std::vector<int> places;
  for (std::size_t c = 0; c < t.classes.size(); ++c) {
    const bool known = !choice.open_set || of_source[c];
    places.push_back(known ? static_cast<int>(names.size()) : -1);
    if (known) names.push_back(t.classes[c]);
  }
  if (names.size() < 2) throw wrong_input("--source-classes: a classifier needs two known classes");
  if (choice.open_set) {
    if (names.size() == t.classes.size())
      throw wrong_input("--open-set: every class is known; --source-classes names those that the source keeps");
    std::replace(places.begin(), places.end(), -1, static_cast<int>(names.size()));
    names.emplace_back(unknown_class);
  }
  const int count = static_cast<int>(names.size());
  for (data::dataset* const set : {&t.source_train, &t.source_test}) keep(*set, of_source, places, count, "--source-classes");
  std::vector<std::filesystem::path> files;
  for (std::size_t i = 0; i < t.target_files.size(); ++i)
    if (of_target[static_cast<std::size_t>(t.target_test.labels[i])]) files.push_back(t.target_files[i]);
  t.target_files = std::move(files);
  for (data::dataset* const set : {&t.target_train, &t.target_test}) keep(*set, of_target, places, count, "--target-classes");
  t.classes = std::move(names);
  t.open_set = choice.open_set;
}

data::input keep_classes(const data::input& all, const std::vector<std::string>& chosen, const char* option) {
  if (chosen.empty() || all.size() == 0) return all;
  if (!all.labelled()) throw wrong_input(std::string(option) + ": " + all.path.string() + " has no labels to choose by");
  for (const std::string& name : chosen)
    if (std::find(all.labels.begin(), all.labels.end(), name) == all.labels.end())
      fail_unknown_name(option, name, data::class_order(all.labels));
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < all.labels.size(); ++i)
    if (std::find(chosen.begin(), chosen.end(), all.labels[i]) != chosen.end()) rows.push_back(i);
  return data::subset(all, rows);
}

void name_unknown(data::input& samples, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), unknown_class) != known.end())
    throw wrong_input("--open-set: the source has a class that is called '" + std::string(unknown_class) + "'");
  for (std::string& label : samples.labels)
    if (std::find(known.begin(), known.end(), label) == known.end()) label = unknown_class;
}

} // namespace dalib::train
