#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/batch_nuclear_norm.hpp>
#include <dalib/measure/fast_batch_nuclear_norm.hpp>
#include <dalib/measure/information_maximisation.hpp>
#include <dalib/measure/minimum_class_confusion.hpp>
#include <dalib/measure/prediction_entropy.hpp>

namespace dalib::train {

namespace {

/// A loss of the target's logits alone. The domains pass as one batch: the batch norm's statistics then fit both.
method_entry of_predictions(const std::string& name, const std::string& description, double weight,
                            std::function<variable<scalar>(const variable<scalar>&)> loss) {
  return entry_of(
      {.name = name,
       .description = description,
       .settings = {weight_of(name, weight)},
       .term = [name, loss](const method_config& config) -> transfer_term<scalar> {
         return {config.settings.at(name + "-weight"), [loss](const term_input<scalar>& in) { return loss(in.outputs.target.logits); }};
       },
       .bottleneck = nn::bottleneck_dann,
       .how = forwarding::jointly});
}

/// The same of a loss that only asks for sure predictions, which one class for everything satisfies best. So it starts at nothing, when the
/// predictions are worth little, and the classifier has no batch norm: the statistics of both domains together spoil it for either.
method_entry of_sureness(const std::string& name, const std::string& description, double weight,
                         std::function<variable<scalar>(const variable<scalar>&)> loss) {
  const std::string setting = name + "-loss";
  return entry_of({.name = name,
                   .description = description,
                   .settings = {weight_of(setting, weight)},
                   .term = [setting, loss](const method_config& config) -> transfer_term<scalar> {
                     const auto ramped = [loss, grows = config.reversal_iterations](const term_input<scalar>& in) {
                       return ad::scale(loss(in.outputs.target.logits), static_cast<scalar>(ramp(in.iteration, grows)));
                     };
                     return {config.settings.at(setting + "-weight"), ramped};
                   }});
}

} // namespace

method_entry mcc() {
  return of_predictions("mcc", "minimum class confusion of the target's predictions", 1,
                        [](const variable<scalar>& logits) { return minimum_class_confusion{}(logits); });
}

method_entry bnm() {
  return of_predictions("bnm", "batch nuclear norm: sure and varied predictions for the target", 1,
                        [](const variable<scalar>& logits) { return batch_nuclear_norm{}(logits); });
}

method_entry bnm_fast() {
  return of_predictions("bnm-fast", "the same by its fast form", 1,
                        [](const variable<scalar>& logits) { return fast_batch_nuclear_norm{}(logits); });
}

method_entry im() {
  return of_predictions("im", "information maximisation: sure predictions of all classes for the target", 0.3,
                        [](const variable<scalar>& logits) { return dalib::information_maximisation{}(logits); });
}

method_entry entropy() {
  return of_sureness("entropy", "entropy minimisation of the target's predictions", 0.1,
                     [](const variable<scalar>& logits) { return prediction_entropy{}(logits); });
}

method_entry tsallis() {
  return of_sureness("tsallis", "the same of Tsallis' entropy of order 2", 0.1,
                     [](const variable<scalar>& logits) { return tsallis_entropy{}(logits); });
}

} // namespace dalib::train
