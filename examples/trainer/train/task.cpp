#include "task.hpp"

#include "own_data.hpp"

#include "../data/digits.hpp"
#include "../data/image_files.hpp"
#include "../data/image_layouts.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>

namespace dalib::train {
namespace {

/// Most source images that its accuracy is measured on.
constexpr std::size_t most_source_images = 1000;

/// The data set's first samples.
data::dataset head(data::dataset set, std::size_t most) {
  if (set.labels.size() <= most) return set;
  set.labels.resize(most);
  if (!set.source) set.images.conservativeResize(static_cast<Eigen::Index>(most), Eigen::NoChange);
  return set;
}

/// A name without spaces, which separate it from the part of the data set.
std::string one_word(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// The features of all images that can be read as a data set of 1 x 1 pixels. Of their `files` those remain.
data::dataset feature_dataset(frozen_backbone& network, const data::dataset& images, std::vector<std::filesystem::path>& files) {
  auto [features, labels] = network.features_of(images);
  std::vector<std::filesystem::path> read;
  for (const Eigen::Index row : readable_rows(labels)) read.push_back(files[static_cast<std::size_t>(row)]);
  files = std::move(read);
  drop_unreadable(images, labels, {&features});
  return {images.name, features, {1, 1, network.out_features()}, std::move(labels), images.classes};
}

const std::vector<std::filesystem::path>& files_of(const data::dataset& images) {
  return dynamic_cast<const data::image_files&>(*images.source).paths();
}

bool has_layout(const data_choice& choice) { return !choice.is_digits() && !choice.is_own() && choice.name != "image-list"; }

} // namespace

std::vector<task_names> all_tasks(const data_choice& choice) {
  if (!has_layout(choice)) throw std::invalid_argument("only data sets with a known layout have 'all' tasks");
  std::vector<task_names> tasks;
  const auto domains = data::find_layout(choice.name).domains;
  for (const data::domain_layout& source : domains)
    for (const data::domain_layout& target : domains)
      if (source.name != target.name) tasks.push_back({std::string(source.name), std::string(target.name)});
  return tasks;
}

task_names full_names(const data_choice& choice, const task_names& names) {
  if (!has_layout(choice)) return names;
  const data::image_layout& layout = data::find_layout(choice.name);
  return {std::string(data::find_domain(layout, names.source).name), std::string(data::find_domain(layout, names.target).name)};
}

task_loader::domain task_loader::load_digits_domain(const std::string& name) const {
  return {data::load_digits(name, data::split::train, choice_.root), data::load_digits(name, data::split::test, choice_.root)};
}

task_loader::domain task_loader::load_image_domain(const std::string& name, bool centre_crop) {
  image::transform how = image::transform_for_side(choice_.side);
  how.centre_crop = centre_crop;
  const data::unreadable_images unreadable{choice_.skip_unreadable, report_skipped};
  const std::string domain_name = one_word(choice_.name == "image-list" ? std::filesystem::path(name).stem().string() : name);
  const auto load = [&](data::split part, const char* part_name) {
    const data::image_list list = data::find_images(choice_.name, name, part, choice_.root, choice_.classes, class_names_);
    return data::make_image_dataset(domain_name + " " + part_name, data::shuffled(list, list.size()), how, unreadable);
  };
  domain result{load(data::split::train, "train"), load(data::split::test, "test")};
  result.test_files = files_of(result.test);
  return result;
}

task_loader::domain task_loader::as_features(const domain& images) {
  if (!frozen_) frozen_ = std::make_shared<frozen_backbone>(choice_.backbone);
  frozen_backbone& network = *frozen_;
  std::cout << "computing the features of " << images.train.name << std::endl;
  std::vector<std::filesystem::path> files = files_of(images.train);
  domain result{feature_dataset(network, images.train, files), {}};
  if (files_of(images.train) == images.test_files) {
    result.test = result.train;
    result.test.name = images.test.name;
    result.test_files = std::move(files);
  } else {
    result.test_files = images.test_files;
    result.test = feature_dataset(network, images.test, result.test_files);
  }
  return result;
}

task_loader::domain task_loader::load_domain(const std::string& name, bool centre_crop) {
  const auto known = domains_.find({name, centre_crop});
  if (known != domains_.end()) return known->second;
  domain loaded = choice_.is_digits() ? load_digits_domain(name) : load_image_domain(name, centre_crop);
  if (choice_.frozen_backbone) loaded = as_features(loaded);
  return domains_[{name, centre_crop}] = std::move(loaded);
}

own_data& task_loader::own(const task_names& names) {
  std::shared_ptr<own_data>& known = own_[{names.source, names.target}];
  if (!known) known = std::make_shared<own_data>(choice_, names);
  return *known;
}

task task_loader::load(const task_names& names, bool centre_crop) {
  const bool cropped = centre_crop && !choice_.frozen_backbone; // features are of the middle anyway
  if (choice_.is_own()) return own(names).make_task(cropped);
  const domain source = load_domain(names.source, cropped), target = load_domain(names.target, cropped);
  task result{source.train, choice_.is_digits() ? source.test : head(source.test, most_source_images), target.train, target.test};
  if (!(result.source_train.geometry == result.target_train.geometry) || result.source_train.classes != result.target_train.classes)
    throw std::invalid_argument("the domains '" + names.source + "' and '" + names.target + "' differ in image size or number of classes");
  result.classes = class_names_;
  for (int c = static_cast<int>(result.classes.size()); c < result.source_train.classes; ++c) result.classes.push_back(std::to_string(c));
  result.prepared = {.kind = choice_.is_digits() ? data::content::gray : data::content::images, .side = choice_.side};
  result.frozen = frozen_;
  result.target_files = target.test_files;
  select_classes(result, choice_.kept);
  std::fill(result.target_train.labels.begin(), result.target_train.labels.end(), 0);
  return result;
}

} // namespace dalib::train
