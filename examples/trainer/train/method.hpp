#pragma once
// What the trainer knows of a method.

#include "backbone.hpp"
#include "models/step_report.hpp"
#include "models/teacher.hpp"
#include "models/transfer_term.hpp"
#include "protocol.hpp"
#include "state.hpp"

#include "../../nn/nn.hpp"
#include "../../io/random.hpp"

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::train {

#ifndef DALIB_TRAINER_SCALAR
#  define DALIB_TRAINER_SCALAR float // the tests of the ranks compare in double
#endif

/// The trainer's precision.
using scalar = DALIB_TRAINER_SCALAR;

/// A method in training: model, losses, optimisers and schedules.
class method {
public:
  method() = default;
  method(const method&) = delete;
  method& operator=(const method&) = delete;
  virtual ~method() = default;

  /// One training iteration. Throws training_failure if a loss is not finite, before the update with it.
  virtual step_report step(const batch<scalar>& images) = 0;

  /// Logits, and the features that are aligned, in evaluation mode and without recording. Changes nothing.
  virtual nn::classifier_output<scalar> predict(const variable<scalar>& images) = 0;

  /// Everything that training goes on from: parameters, statistics, optimisers, schedules, random generators.
  virtual void visit_state(any_state_visitor& visitor) = 0;

  /// The part of the state that predictions need, under PyTorch's names: what a snapshot of the best weights holds.
  virtual void visit_model(any_state_visitor& visitor) = 0;

  /// The learning rate of the latest step.
  virtual double learning_rate() const = 0;
};

/// A number that belongs to one method; the command line gets an option of its name.
struct method_setting {
  std::string name; ///< as in --margin
  double value;     ///< default
  double low, high; ///< allowed range
  std::string help;
};

/// What a method is made from. The defaults are the protocol of the bundled digits.
struct method_config {
  index_t channels = 1;
  index_t side = 28;
  index_t classes = 10;
  nn::sgd_options sgd{.learning_rate = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4};
  double lr_gamma = 0.001;
  double lr_decay = 0.75;
  double backbone_multiplier = 1;
  double trade_off = 1;
  long reversal_iterations = 1000;
  backbone_choice backbone;
  index_t discriminator_width = 512;        ///< hidden units of domain discriminators
  index_t head_width = 256;                 ///< of the bottleneck and the heads of MDD, the heads of MCD
  std::map<std::string, double> settings;   ///< values of method_setting; the default where there is none
  std::vector<transfer_term<scalar>> terms; ///< of other methods, added to the transfer loss
  std::optional<teacher_options> teacher{}; ///< beside the method's model
  std::uint64_t teacher_seed = 0;
};

/// What may stand behind a method's `+`.
enum class additions {
  all,
  teacher, ///< self-ensembling alone
  none
};

/// One entry of the array of methods.
struct method_entry {
  std::string name;
  std::string description;
  std::vector<std::string> aliases{};
  std::vector<method_setting> settings{}; ///< of its own
  std::function<std::unique_ptr<method>(const method_config&, io::random_generator)> make;
  protocol_of_data protocol{}; ///< on image data sets
  bool needs_backbone = false; ///< adapts nothing but the backbone
  bool needs_open_set = false; ///< its last class is the unknown one
  additions takes = additions::all;
  std::function<transfer_term<scalar>(const method_config&)> term{};   ///< its loss behind a `+`
  std::function<void(method_config&, io::random_generator)> prepare{}; ///< or what it changes there; neither: it may not stand there

  bool is_addable() const { return term || prepare; }
};

/// All methods of the program, in the order of tables: the classics first. The array is in methods.cpp.
std::span<const method_entry> all_methods();

/// Entry of that name or alias, or of several joined by `+`: the losses of the others are added to that of the one which is more than a
/// loss, or of the first. Throws std::invalid_argument that lists the known names, or says which cannot be combined.
const method_entry& find_method(std::string_view name);

} // namespace dalib::train
