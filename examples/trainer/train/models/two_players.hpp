#pragma once
// Training in which two parts of a network learn from different losses in turn.

#include "step_report.hpp"

#include "../../../nn/nn.hpp"

#include <utility>
#include <vector>

namespace dalib::train {

/// Which part a loss moves.
enum class moved_part { backbone, heads, both };

/// A backbone and what plays against it, heads or a discriminator: an optimiser for each, one schedule of rates.
template <class T>
class two_players {
public:
  using groups = std::vector<nn::parameter_group<T>>;

  two_players(groups backbone, const nn::sgd_options& of_backbone, groups heads, const nn::sgd_options& of_heads,
              const nn::stepwise_schedule& schedule)
      : backbone_(std::move(backbone), of_backbone), heads_(std::move(heads), of_heads), schedule_(schedule) {}

  /// The rates of the next iteration, `share` of the schedule's.
  void next_iteration(double share = 1) { backbone_.learning_rate = heads_.learning_rate = share * schedule_.step(); }
  /// Iterations that are behind the present one.
  std::int64_t iteration() const { return schedule_.step_number - 1; }
  double learning_rate() const { return heads_.learning_rate; }

  /// One update of a part down a loss, whose gradients are still there afterwards. Throws training_failure before an update with a loss
  /// that is not finite.
  void descend(const char* name, const variable<T>& loss, moved_part part) {
    require_finite_loss(name, loss.item());
    backbone_.clear_gradients();
    heads_.clear_gradients();
    static const groups none;
    nn::backward_over_ranks(loss, part != moved_part::heads ? backbone_.groups() : none,
                            part != moved_part::backbone ? heads_.groups() : none);
    if (part != moved_part::heads) backbone_.step();
    if (part != moved_part::backbone) heads_.step();
  }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    backbone_.visit_state(io::scoped(visitor, "backbone_optimiser."));
    heads_.visit_state(io::scoped(visitor, "head_optimiser."));
    schedule_.visit_state(io::scoped(visitor, "schedule."));
  }

private:
  nn::sgd<T> backbone_, heads_;
  nn::stepwise_schedule schedule_;
};

} // namespace dalib::train
