#include "own_data.hpp"

#include "features.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <numeric>

namespace dalib::train {
namespace {

using data::input;
using data::input_kind;

/// A number between 0 and 0.5, as 0.1 or 10%; nothing for other texts.
std::optional<double> share_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc{} || (!rest.empty() && rest != "%")) return std::nullopt;
  if (rest == "%") value /= 100;
  if (!(value > 0 && value <= 0.5)) throw data::wrong_input("--validation: the share " + text + " is not above 0 and at most 0.5");
  return value;
}

std::vector<std::size_t> all_numbers(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

/// The samples that can be read, in a random order that is always the same, so that any beginning is a sample of all. Images of IDX files
/// and digits stay as they are: their makers have mixed them.
input mixed(const input& all) {
  std::vector<std::size_t> numbers = all_numbers(all.size());
  std::erase_if(numbers, [&](std::size_t i) { return !all.unreadable.empty() && all.unreadable[i] != 0; });
  if (numbers.empty()) io::fail_file(all.path, "none of its images can be read");
  const bool keeps = all.kind == input_kind::idx || all.kind == input_kind::digits;
  if (!keeps) io::random_generator(0).shuffle(std::span(numbers));
  return subset(all, numbers);
}

/// Names of the data sets: what stands before the first space is the domain's.
void require_labels(const input& samples, const char* option) {
  if (!samples.labelled()) throw data::wrong_input(std::string(option) + " " + samples.path.string() + ": has no labels");
}

} // namespace

void report_skipped(const std::string& problem) { std::cerr << "dalib: skipped: " + problem + "\n"; }

own_data::own_data(const data_choice& choice, const task_names& names) : choice_(choice) {
  data::input_options options{.kind = choice.own.kind, .table = choice.own.table, .root = choice.root};
  source_ = keep_classes(data::read_input(names.source, options, {}), choice.kept.source, "--source-classes");
  classes_ = data::class_order(source_.labels);
  if (classes_.size() < 2) io::fail_file(source_.path, "has one class only ('" + classes_[0] + "'); a classifier needs two");
  prepared_ = shown_ = data::prepare_for(source_, choice.side, choice.own.impute);
  const std::vector<std::string> known = classes_;
  if (choice.kept.open_set) classes_.emplace_back(unknown_class);
  target_ = of_target(data::read_input(names.target, options, known), known);

  data::input_options labelled = options;
  labelled.test_part = true;
  if (labelled.kind == input_kind::images) labelled.kind.reset();
  const auto test_of = [&](const input& domain, const std::string& name) {
    return domain.kind == input_kind::digits ? data::read_input(name, labelled, classes_) : input{};
  };
  target_test_ =
      choice.own.target_test.empty() ? test_of(target_, names.target) : data::read_input(choice.own.target_test, labelled, classes_);
  if (!choice.own.target_test.empty()) require_labels(target_test_, "--target-test");
  target_test_ = of_target(target_test_, known);

  constexpr double usual_share = 0.1;
  const std::string& validation = choice.own.validation;
  std::optional<double> share = validation.empty() ? std::nullopt : share_of(validation);
  if (validation.empty()) {
    validation_ = keep_classes(test_of(source_, names.source), choice.kept.source, "--source-classes");
    if (validation_.size() == 0) share = usual_share;
  } else if (!share) {
    validation_ = keep_classes(data::read_input(validation, labelled, known), choice.kept.source, "--source-classes");
    require_labels(validation_, "--validation");
    data::class_numbers(validation_, classes_);
  }
  if (share) split_source(*share);
  target_files_ = (target_test_.size() > 0 ? target_test_ : target_).files;
}

/// A part of the target with the classes that take part, by names that are known.
input own_data::of_target(const input& all, const std::vector<std::string>& known) const {
  input kept = keep_classes(all, choice_.kept.target, "--target-classes");
  if (choice_.kept.open_set) name_unknown(kept, known);
  data::class_numbers(kept, classes_);
  return kept;
}

/// The same share of each class, at least one image of those that have two.
void own_data::split_source(double share) {
  std::vector<std::size_t> numbers = all_numbers(source_.size());
  io::random_generator(0).shuffle(std::span(numbers));
  std::map<std::string, std::size_t> count, wanted;
  for (const std::string& label : source_.labels) ++count[label];
  for (const auto& [label, n] : count)
    wanted[label] = n < 2 ? 0 : std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(n))));
  std::vector<std::size_t> held, rest;
  for (const std::size_t i : numbers) {
    std::size_t& left = wanted[source_.labels[i]];
    (left > 0 ? held : rest).push_back(i);
    left -= left > 0 ? 1 : 0;
  }
  if (held.empty()) io::fail_file(source_.path, "has one image of each class: no part of it can be held out for validation");
  constexpr std::size_t most = 2000;
  std::sort(rest.begin(), rest.end());
  validation_ = subset(source_, std::span(held).first(std::min(held.size(), most)));
  source_ = subset(source_, rest);
}

data::dataset own_data::dataset_of(const input& samples, const std::string& part, bool centre_crop) const {
  return data::make_dataset(samples, shown_, classes_, {part, centre_crop, {choice_.skip_unreadable, report_skipped}});
}

input own_data::as_features(const input& images) {
  const data::dataset set = dataset_of(images, "images", false);
  std::cout << "computing the features of " << images.size() << " images of " << images.path.string() << std::endl;
  feature_set computed = frozen_->features_of(set);
  input result{.name = images.name, .path = images.path, .kind = input_kind::npy, .values = computed.features};
  result.geometry = {1, 1, frozen_->out_features()};
  result.labels = images.labels;
  result.names = set.sample_names;
  result.at_once = evaluated_at_once(set); // so that what is behind the backbone sees the same batches in dalib_predict
  for (const int label : computed.labels) result.unreadable.push_back(label == data::no_label ? 1 : 0);
  return result;
}

void own_data::compute_features() {
  frozen_ = std::make_shared<frozen_backbone>(choice_.backbone);
  for (input* const samples : {&source_, &validation_, &target_, &target_test_})
    if (samples->size() > 0) *samples = as_features(*samples);
  shown_ = {.kind = data::content::values, .width = frozen_->out_features()};
}

task own_data::make_task(bool centre_crop) {
  if (choice_.frozen_backbone && !frozen_) compute_features();
  task result{.source_train = dataset_of(mixed(source_), "train", centre_crop),
              .source_test = dataset_of(validation_, "validation", true),
              .target_train = dataset_of(mixed(target_), "train", centre_crop),
              .target_test = dataset_of(target_test_.size() > 0 ? target_test_ : target_, "test", true),
              .classes = classes_,
              .prepared = prepared_,
              .frozen = frozen_,
              .target_files = target_files_,
              .open_set = choice_.kept.open_set};
  std::fill(result.target_train.labels.begin(), result.target_train.labels.end(), 0);
  return result;
}

} // namespace dalib::train
