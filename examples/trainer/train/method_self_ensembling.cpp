#include "models/term_model.hpp"
#include "standard_method.hpp"

namespace dalib::train::self_ensembling_method {
namespace {

constexpr std::uint64_t teacher_stream = 7; // of the seed of the weights

void add_teacher(method_config& config, io::random_generator random) {
  const auto& settings = config.settings;
  augmentation limits;
  limits.uneven = settings.at("uneven-light");
  config.teacher = teacher_options{.weight = settings.at("lesson-weight"),
                                   .growth = static_cast<long>(settings.at("lesson-growth")),
                                   .threshold = settings.at("sure-from"),
                                   .average = settings.at("teacher-average"),
                                   .changes = limits.scaled(settings.at("augmentation"))};
  config.teacher_seed = random.stream(teacher_stream)();
}

std::unique_ptr<method> make_self_ensembling(const method_config& config, io::random_generator random) {
  method_config own = config;
  add_teacher(own, random);
  auto classifier = make_classifier(own, nn::bottleneck_dann, random);
  return make_standard_method(term_model<scalar, image_backbone>(std::move(classifier), forwarding::jointly), own);
}

} // namespace
} // namespace dalib::train::self_ensembling_method

namespace dalib::train {

method_entry self_ensembling() {
  return {.name = "self-ensembling",
          .description = "a mean teacher: its sure predictions for the target are learnt from randomly changed images",
          .settings = {{"lesson-weight", 1, 0, 1e6, "self-ensembling: weight of what the teacher is sure of"},
                       {"lesson-growth", 300, 0, 1e9, "self-ensembling: iterations over which that weight grows; 0: all at once"},
                       {"sure-from", 0.9, 0, 1, "self-ensembling: probability from which on the teacher is sure"},
                       {"teacher-average", 0.99, 0, 0.999999, "self-ensembling: share of the teacher that an iteration keeps"},
                       {"augmentation", 1, 0, 2, "self-ensembling: how far images are changed; 0: not at all"},
                       {"uneven-light", 0, 0, 10, "self-ensembling: how strong a random field of light and contrast is; 0: none"}},
          .make = self_ensembling_method::make_self_ensembling,
          .prepare = self_ensembling_method::add_teacher};
}

} // namespace dalib::train
