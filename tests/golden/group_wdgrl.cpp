/// Group wdgrl: the gradient penalty of a critic, and what critic and features are trained to.
#include "network_cases.hpp"

#include <dalib/measure/network/gradient_penalty.hpp>

namespace {

using namespace golden;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

/// dD/dh, by the distance of the points from nothing: W is a mean over them.
template <class T>
array critic_gradient(const dalib::feed_forward<T>& critic, const dalib::matrix_view<const T>& points) {
  dalib::workspace scratch;
  const dalib::exec::serial alone;
  return array_of_view(dalib::detail::penalty_pass<dalib::exec::serial, T>(alone, critic, points, scratch).critic_gradient());
}

template <class T>
outcome run_points(const test_case& test, const case_network<T>& critic) {
  const matrix<T> points = dense_input<T>(test, "points");
  matrix<T> pulls = points;
  dalib::workspace scratch;
  const T value = dalib::gradient_penalty{}.value_and_gradient(
      dalib::exec::default_policy{}, critic.network(), dalib::const_view_of(points), critic.gradients(), dalib::gradient{pulls}, scratch);
  require_same_value(dalib::gradient_penalty{}(critic.network(), points), value);
  return {"Eigen",
          {{"loss", scalar(value)},
           {"grad.points", array_of_matrix(pulls)},
           {"critic_gradient", critic_gradient<T>(critic.network(), dalib::const_view_of(points))}},
          {}};
}

/// The penalty at points that the batch makes, or the critic's objective.
template <class T>
outcome run_batch(const test_case& test, const case_network<T>& critic) {
  const auto name = test.param<std::string>("points");
  if (name != "gulrajani" && name != "shen") unknown("points", name);
  const auto where = name == "shen" ? dalib::penalty_points::all : dalib::penalty_points::between;
  const matrix<T> h_s = dense_input<T>(test, "h_s"), h_t = dense_input<T>(test, "h_t"), alpha = dense_input<T>(test, "alpha");
  matrix<T> g_s = h_s, g_t = h_t;
  const dalib::critic_batch<T> batch(h_s, h_t, alpha);
  const dalib::exec::default_policy exec;
  const dalib::gradients features{g_s, g_t};
  dalib::workspace scratch, of_points;
  const dalib::gradient_penalty penalty{where};
  outcome result{"Eigen", {}, {}};
  if (test.method == "gradient penalty") {
    const T value = penalty.value_and_gradient(exec, critic.network(), batch, {critic.gradients(), features}, scratch);
    result.outputs = {{"loss", scalar(value)},
                      {"grad.h_s", array_of_matrix(g_s)},
                      {"grad.h_t", array_of_matrix(g_t)},
                      {"critic_gradient", critic_gradient<T>(critic.network(), penalty.points_of(batch, of_points))}};
    return result;
  }
  const dalib::critic_loss loss{test.param<double>("gamma"), where};
  const T value = loss.value_and_gradient(exec, critic.network(), batch, {.parameters = critic.gradients()}, scratch);
  const T distance = loss.distance(exec, critic.network(), batch, {.features = features}, scratch);
  result.outputs = {{"loss", scalar(value)},
                    {"wasserstein", scalar(distance)},
                    {"penalty", scalar(penalty.value_and_gradient(exec, critic.network(), batch, {}, scratch))},
                    {"feature_grad.h_s", array_of_matrix(g_s)},
                    {"feature_grad.h_t", array_of_matrix(g_t)}};
  return result;
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  const case_network<T> critic(test, "D.");
  if (test.method != "gradient penalty" && test.method != "WDGRL critic objective") unknown("method", test.method);
  outcome result = test.inputs.contains("points") ? run_points<T>(test, critic) : run_batch<T>(test, critic);
  critic.add_to(result.outputs);
  return {result};
}

const claim_group group("wdgrl", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
