#include <doctest/doctest.h>
#include <nn/sgd.hpp>

using namespace dalib;

namespace {

/// Gives p the gradient `value` in every element.
void set_gradient(const ad::variable<double>& p, double value) {
  p.clear_gradient();
  p.add_gradient([&](ad::map<double> target, ad::write) { target.setConstant(value); });
}

ad::variable<double> leaf(double value) { return ad::parameter(ad::matrix<double>::Constant(2, 3, value)); }

} // namespace

TEST_CASE("SGD follows PyTorch's recurrences") {
  const double rate = 0.1, decay = 0.01, mu = 0.9;
  const std::vector<double> gradients{1.0, -0.5, 2.0, 0.25};
  for (const auto& setting : std::vector<std::pair<double, bool>>{{0.0, false}, {mu, false}, {mu, true}}) {
    const double momentum = setting.first;
    const bool nesterov = setting.second;
    CAPTURE(momentum);
    CAPTURE(nesterov);
    const auto p = leaf(1.5), slow = leaf(1.5);
    nn::sgd<double> optimiser({{{p}, 1.0}, {{slow}, 0.1}},
                              {.learning_rate = rate, .momentum = momentum, .nesterov = nesterov, .weight_decay = decay});
    double expected = 1.5, expected_slow = 1.5, m = 0, m_slow = 0;
    for (const double gradient : gradients) {
      const auto recurrence = [&](double& value, double& velocity, double lambda) {
        const double g = gradient + decay * value;
        velocity = momentum * velocity + g;
        value -= lambda * (nesterov ? g + momentum * velocity : velocity);
      };
      recurrence(expected, m, rate);
      recurrence(expected_slow, m_slow, 0.1 * rate);
      set_gradient(p, gradient);
      set_gradient(slow, gradient);
      optimiser.step();
      CHECK(p.value()(1, 2) == doctest::Approx(expected).epsilon(1e-14));
      CHECK(slow.value()(0, 1) == doctest::Approx(expected_slow).epsilon(1e-14));
    }
  }
}

TEST_CASE("SGD leaves parameters without a gradient alone") {
  const auto p = leaf(1), q = leaf(2);
  nn::sgd<double> optimiser({{{p, q}, 1.0}}, {.learning_rate = 1, .momentum = 0.9, .nesterov = false, .weight_decay = 0.1});
  set_gradient(p, 1);
  optimiser.step();
  CHECK(q.value()(0, 0) == 2);
  CHECK(p.value()(0, 0) == doctest::Approx(1 - 1.1));
  optimiser.clear_gradients();
  CHECK(!p.has_gradient());
}

TEST_CASE("step-wise learning rate") {
  nn::stepwise_schedule schedule{.initial = 0.01, .gamma = 0.001, .decay = 0.75};
  CHECK(schedule.step() == 0.01);
  for (int i = 1; i < 500; ++i) schedule.step();
  CHECK(schedule.step() == doctest::Approx(0.01 * std::pow(1.5, -0.75)).epsilon(1e-14));
}
