/// Losses with a network inside, and distillation: differences, threads, limits, bad input.
#include "support/flags.hpp"
#include "support/loss_checks.hpp"

#include <dalib/measure/distillation.hpp>
#include <dalib/measure/network/gradient_penalty.hpp>
#include <dalib/measure/network/virtual_adversarial.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <vector>

using namespace dalib;
using checks::contains;
using checks::matrix;
using checks::message_of;

namespace {

/// Parameters in one matrix each, so that differences can move them.
struct network {
  std::deque<matrix> weights, biases, weight_slopes, bias_slopes;
  std::vector<dense_layer<const double>> layers;
  std::vector<dense_layer<double>> slopes;

  explicit network(const std::vector<Eigen::Index>& widths) {
    for (std::size_t l = 1; l < widths.size(); ++l) {
      weights.push_back(checks::random_matrix(widths[l], widths[l - 1], 10 + l, 0.8));
      biases.push_back(checks::random_matrix(widths[l], 1, 20 + l, 0.3));
      weight_slopes.push_back(weights.back());
      bias_slopes.push_back(biases.back());
      layers.push_back({const_view_of(weights.back()), biases.back().data()});
      slopes.push_back({view_of(weight_slopes.back()), bias_slopes.back().data()});
    }
  }
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  feed_forward<double> of(hidden_activation a) const { return {layers, a}; }

  /// Every parameter's gradient against differences of `value()`.
  template <class F>
  void check_parameters(const F& value) {
    for (std::size_t l = 0; l < weights.size(); ++l)
      for (const bool of_weight : {true, false}) {
        matrix *const moved = of_weight ? &weights[l] : &biases[l], *const slope = of_weight ? &weight_slopes[l] : &bias_slopes[l];
        const matrix before = *moved;
        const matrix want = checks::differences(
            [&](const matrix& p) {
              *moved = p;
              return value();
            },
            before);
        *moved = before;
        CHECK((*slope - want).cwiseAbs().maxCoeff() < 1e-7 * std::max(1.0, want.cwiseAbs().maxCoeff()));
      }
  }
};

TEST_CASE("a critic's objective: differences of parameters and features, threads") {
  const matrix h_s = checks::random_matrix(5, 3, 1), h_t = checks::random_matrix(5, 3, 2),
               alpha = checks::random_matrix(5, 1, 3, 0.5).array() + 0.5;
  for (const auto activation : {hidden_activation::tanh, hidden_activation::elu}) {
    network net({3, 6, 4, 1});
    const critic_loss loss{10};
    workspace scratch;
    matrix g_s(5, 3), g_t(5, 3), again_s(5, 3), again_t(5, 3);
    const auto value_at = [&](const matrix& s, const matrix& t) {
      return loss.value_and_gradient(exec::serial{}, net.of(activation), critic_batch(s, t, alpha), {}, scratch);
    };
    const double value = loss.value_and_gradient(exec::serial{}, net.of(activation), critic_batch(h_s, h_t, alpha),
                                                 {{net.slopes}, gradients{g_s, g_t}}, scratch);
    CHECK(value == value_at(h_s, h_t));
    CHECK(g_s.cwiseAbs().maxCoeff() > 1e-3);
    CHECK(checks::relative_error(g_s, checks::differences([&](const matrix& z) { return value_at(z, h_t); }, h_s)) < 1e-6);
    CHECK(checks::relative_error(g_t, checks::differences([&](const matrix& z) { return value_at(h_s, z); }, h_t)) < 1e-6);
    net.check_parameters([&] { return value_at(h_s, h_t); });
    for (int threads : {1, 2, 3}) {
      CHECK(loss.value_and_gradient(exec::openmp{threads}, net.of(activation), critic_batch(h_s, h_t, alpha),
                                    {{net.slopes}, gradients{again_s, again_t}}, scratch) == value);
      CHECK(again_s == g_s);
    }
  }
}

TEST_CASE("the distance takes samples of any sizes; a dead critic has a penalty of 1 and no slope") {
  const matrix h_s = checks::random_matrix(7, 3, 1), h_t = checks::random_matrix(4, 3, 2);
  network net({3, 5, 1});
  workspace scratch;
  matrix g_s(7, 3), g_t(4, 3);
  const critic_loss loss;
  const auto distance = [&](const matrix& s) {
    return loss.distance(exec::serial{}, net.of(hidden_activation::tanh), critic_batch(s, h_t), {}, scratch);
  };
  loss.distance(exec::serial{}, net.of(hidden_activation::tanh), critic_batch(h_s, h_t), {.features = gradients{g_s, g_t}}, scratch);
  CHECK(checks::relative_error(g_s, checks::differences(distance, h_s)) < 1e-8);
  CHECK(g_t.norm() > 0);
  net.biases[0].setConstant(-100);
  matrix pulls = h_s;
  const double penalty = gradient_penalty{}.value_and_gradient(exec::serial{}, net.of(hidden_activation::relu), const_view_of(h_s),
                                                               {net.slopes}, gradient{pulls}, scratch);
  CHECK(penalty == 1);
  CHECK(net.weight_slopes[0].isZero(0));
  CHECK(pulls.isZero(0));
}

TEST_CASE("virtual adversarial training: the move is a constant, parameters have differences' gradient") {
  const matrix x = checks::random_matrix(6, 4, 1), d = checks::random_matrix(6, 4, 2);
  network net({4, 7, 3});
  const virtual_adversarial loss{{.xi = 0.1, .epsilon = 1.5}};
  workspace scratch;
  matrix moves(6, 4);
  const auto run = [&](const exec::openmp& policy) {
    return loss.value_and_gradient(policy, net.of(hidden_activation::tanh), {const_view_of(x), const_view_of(d), view_of(moves)},
                                   {net.slopes}, scratch);
  };
  const double value = run(exec::openmp{1});
  CHECK(value > 0);
  CHECK((moves.rowwise().norm().array() - 1.5).abs().maxCoeff() < 1e-13);
  const matrix slope = net.weight_slopes[0];
  for (int threads : {2, 3}) {
    CHECK(run(exec::openmp{threads}) == value);
    CHECK(net.weight_slopes[0] == slope);
  }
  // The same with predictions and moves held fixed: distillation of the moved rows' logits.
  const auto logits = [&](const matrix& rows) -> matrix {
    const exec::serial alone;
    const detail::network_pass<exec::serial, double> pass(alone, net.of(hidden_activation::tanh), const_view_of(rows), scratch);
    matrix out(rows.rows(), 3);
    for (Eigen::Index i = 0; i < out.rows(); ++i)
      for (Eigen::Index c = 0; c < 3; ++c) out(i, c) = pass.outputs()(i, c);
    return out;
  };
  const matrix fixed = logits(x), moved = x + moves;
  CHECK(distillation{}(logits(moved), fixed) == doctest::Approx(value).epsilon(1e-13));
  net.check_parameters([&] { return distillation{}(logits(moved), fixed); });
}

TEST_CASE("distillation: near agreement, saturated logits, temperature, bad input") {
  const matrix y = checks::random_matrix(6, 5, 1, 3), teacher = checks::random_matrix(6, 5, 2, 3);
  matrix g(6, 5);
  const distillation loss{2.5};
  const double apart = loss.value_and_gradient(y, teacher, gradient{g}) - loss(y, teacher);
  CHECK(std::abs(apart) <= (support::relaxed_arithmetic ? 1e-15 : 0.0));
  CHECK(checks::relative_error(g, checks::differences([&](const matrix& z) { return loss(z, teacher); }, y)) < 1e-8);
  const matrix near = y.array() + 1e-9 * teacher.array();
  double want = 0; // sum q (p/q - 1)^2 / 2 to second order
  for (Eigen::Index i = 0; i < 6; ++i) {
    const Eigen::RowVectorXd p = (y.row(i).array() - y.row(i).maxCoeff()).exp().matrix().normalized();
    const Eigen::RowVectorXd q = (p.array() / p.sum()).matrix();
    const double mean = q.dot(teacher.row(i));
    want += 0.5e-18 * (q.array() * (teacher.row(i).array() - mean).square()).sum() / 6;
  }
  CHECK(distillation{}(near, y) == doctest::Approx(want).epsilon(1e-4));
  matrix far = matrix::Zero(1, 3), other = far;
  far(0, 0) = 1e4;
  other(0, 1) = 1e4;
  CHECK(distillation{}(far, other) == doctest::Approx(1e4));
  CHECK(contains(message_of([&] { distillation{0}(y, teacher); }), "temperature"));
  CHECK(contains(message_of([&] { distillation{}(y, matrix(teacher.leftCols(4))); }), "same shape"));
}

TEST_CASE("bad input is refused before anything is written") {
  const matrix h_s = checks::random_matrix(5, 3, 1), h_t = checks::random_matrix(4, 3, 2), alpha = matrix::Ones(5, 1);
  network net({3, 2, 1}), wide({4, 2, 1}), two({3, 2});
  net.weight_slopes[0].setConstant(7);
  workspace scratch;
  const auto critic = [&](const network& of, const matrix& target) {
    return message_of([&] {
      critic_loss{}.value_and_gradient(exec::serial{}, of.of(hidden_activation::relu), critic_batch(h_s, target, alpha),
                                       {.parameters = {net.slopes}}, scratch);
    });
  };
  CHECK(contains(critic(net, h_t), "pairs of rows"));
  CHECK(contains(critic(wide, h_s), "layer 0 must take 3 numbers"));
  CHECK(contains(critic(two, h_s), "gradient for each layer"));
  const auto moved = [&](const virtual_adversarial::options& set, const matrix& d) {
    return message_of([&] {
      virtual_adversarial{set}.value_and_gradient(exec::serial{}, two.of(hidden_activation::relu), {const_view_of(h_s), const_view_of(d)},
                                                  {two.slopes}, scratch);
    });
  };
  CHECK(contains(moved({.xi = 0}, h_s), "xi must be positive"));
  CHECK(contains(moved({}, h_t), "a direction for each row"));
  CHECK((net.weight_slopes[0].array() == 7).all());
}

} // namespace
