#pragma once
// Training in a way of its own as a method of the list.

#include "standard_method.hpp"

namespace dalib::train {

/// A method of a descent that has step(batch), predict(images), predictor(), learning_rate() and visit_state.
template <class Descent>
class descent_method final : public method {
public:
  explicit descent_method(Descent descent) : descent_(std::move(descent)) {}

  step_report step(const batch<scalar>& images) override { return descent_.step(images); }
  nn::classifier_output<scalar> predict(const variable<scalar>& images) override { return descent_.predict(images); }
  void visit_state(any_state_visitor& visitor) override { descent_.visit_state(visitor); }
  void visit_model(any_state_visitor& visitor) override { visit_tensors(descent_.predictor(), visitor); }
  double learning_rate() const override { return descent_.learning_rate(); }

private:
  Descent descent_;
};

template <class Descent>
std::unique_ptr<method> make_descent_method(Descent descent) {
  return std::make_unique<descent_method<Descent>>(std::move(descent));
}

} // namespace dalib::train
