#pragma once
// The data of one adaptation task.

#include "../data/dataset.hpp"
#include "../data/input.hpp"
#include "../data/preparation.hpp"
#include "backbone.hpp"
#include "class_selection.hpp"
#include "frozen_backbone.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dalib::train {

/// From which domain to which one. Training uses the labels of `source_train` only; `source_test` serves as validation data.
/// The labels of `target_test`, where it has any, are used for the reported accuracies; `target_train` has had its labels replaced, see
/// task_loader.
struct task {
  data::dataset source_train, source_test, target_train, target_test;
  std::vector<std::string> classes{};                ///< their names, in the order of the labels
  data::preparation prepared{};                      ///< of samples, before a frozen backbone
  std::shared_ptr<frozen_backbone> frozen{};         ///< where the data sets are its features
  std::vector<std::filesystem::path> target_files{}; ///< that the rows of `target_test` come from, or none
  bool open_set = false;                             ///< the last class is what the source lacks

  std::string name() const { return domain_of(source_train) + " -> " + domain_of(target_train); }

private:
  static std::string domain_of(const data::dataset& set) { return set.name.substr(0, set.name.find(' ')); }
};

/// A task by the names of its domains, which for own data are what read_input takes.
struct task_names {
  std::string source, target;
};

/// What is said about own data besides the source and the target.
struct own_choice {
  std::optional<data::input_kind> kind; ///< what inputs are; otherwise that is found out
  data::table_options table;
  bool impute = false;                    ///< missing values of tables become the source's mean
  std::string validation;                 ///< a share of the source, or an input; empty: a tenth, of digits their test part
  std::string target_test;                ///< labelled input for the accuracy; empty: the target, of digits its test part
  std::vector<std::string> class_names{}; ///< of the source, once it is read
  long source_size = 0;                   ///< training images, once they are read
};

/// Where the data are and how they become inputs.
struct data_choice {
  std::string name = "auto";    ///< digits, own, image-list, or a layout of data/image_layouts.hpp
  std::filesystem::path root;   ///< folder of the data
  int classes = 0;              ///< 0: as many as the layout or the lists have
  std::ptrdiff_t side = 224;    ///< of inputs made of image files
  bool skip_unreadable = false; ///< image files
  bool frozen_backbone = false; ///< inputs are the features of the images, computed once
  backbone_choice backbone;     ///< that computes them
  class_selection kept;         ///< classes that take part

  own_choice own;

  bool is_digits() const { return name == "digits"; }
  bool is_own() const { return name == "own"; }
};

/// All pairs of different domains of a layout, in its order. Throws std::invalid_argument for other data.
std::vector<task_names> all_tasks(const data_choice& choice);

/// Full names of domains given by short ones, checked. For other data the names as they are.
task_names full_names(const data_choice& choice, const task_names& names);

class own_data;

/// Loads the domains of tasks. What is expensive is kept from task to task: the lists of files, the features of a frozen backbone.
class task_loader {
public:
  explicit task_loader(data_choice choice) : choice_(std::move(choice)) {}

  /// What a task of own data was read from; see own_data.
  own_data& own(const task_names& names);

  /// The data of a task. The labels of the target's training images are set to 0, so that nothing can use them by mistake.
  ///
  /// Digits: see data::load_digits. Image data sets: training images and test images of a domain are the same where it has no list of test
  /// images, as in DALIB; of the source's test images a sample of at most 1000 is used.
  /// @param centre_crop training inputs are the middle of the images
  /// Throws std::runtime_error naming the file that is missing or wrong, and std::invalid_argument for unknown names, and if the domains
  /// differ in image size or number of classes.
  task load(const task_names& names, bool centre_crop);

private:
  /// The images of one domain for training and testing.
  struct domain {
    data::dataset train, test;
    std::vector<std::filesystem::path> test_files{};
  };
  domain load_domain(const std::string& name, bool centre_crop);
  domain load_digits_domain(const std::string& name) const;
  domain load_image_domain(const std::string& name, bool centre_crop);
  domain as_features(const domain& images);

  data_choice choice_;
  std::vector<std::string> class_names_;
  std::map<std::pair<std::string, bool>, domain> domains_;
  std::shared_ptr<frozen_backbone> frozen_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<own_data>> own_;
};

} // namespace dalib::train
