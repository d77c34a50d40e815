/// A machine of a user's own runs every measure: dalib::backend is all that it takes.
#include "support/third_machine.hpp"
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

template <>
struct dalib::backend<third::memory> : third::machine {};

/// A variable of a small tape in a machine's memory, which says at run time who runs its losses. What has to wait for a gradient is pulled
/// back by `pull_all`.
template <class Memory>
struct tape_variable {
  dalib::matrix_view<const double, Memory> value;
  dalib::matrix_view<double, Memory> gradient;

  static inline bool hand_policy = false;
  static inline std::deque<checks::row_major<double>> storage{};
  static inline std::vector<std::function<void()>> pulls{};

  static tape_variable zeros(dalib::index_t rows, dalib::index_t cols) {
    double* value = storage.emplace_back(checks::row_major<double>::Zero(rows, cols)).data();
    double* gradient = storage.emplace_back(checks::row_major<double>::Zero(rows, cols)).data();
    return {{value, rows, cols}, {gradient, rows, cols}};
  }
  double* elements() const { return const_cast<double*>(value.data); }
  static void pull_all() {
    for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
    pulls.clear();
    storage.clear();
  }
};
template <class Memory>
struct dalib::graph_traits<tape_variable<Memory>> {
  using scalar = double;
  using variable = tape_variable<Memory>;
  static index_t rows(const variable& v) { return v.value.rows; }
  static auto view(const variable& v) { return v.value; }
  static variable detach(const variable& v) { return {v.value, {}}; }
  static variable slice_rows(const variable& v, index_t first, index_t count) {
    return {v.value.rows_from(first, count), v.gradient.rows_from(first, count)};
  }
  static variable concat_rows(const variable& a, const variable& b) {
    const variable joint = variable::zeros(a.value.rows + b.value.rows, a.value.cols);
    const index_t of_a = a.value.rows * a.value.cols, of_b = b.value.rows * b.value.cols;
    std::copy_n(b.value.data, of_b, std::copy_n(a.value.data, of_a, joint.elements()));
    variable::pulls.push_back([=] {
      std::copy_n(joint.gradient.data, of_a, a.gradient.data);
      std::copy_n(joint.gradient.data + of_a, of_b, b.gradient.data);
    });
    return joint;
  }
  static variable reverse(const variable& v, double coefficient) {
    const variable reversed{v.value, variable::zeros(v.value.rows, v.value.cols).gradient};
    variable::pulls.push_back([=] {
      const auto reverse_one = [=](double g) { return -coefficient * g; };
      std::transform(reversed.gradient.data, reversed.gradient.data + v.value.rows * v.value.cols, v.gradient.data, reverse_one);
    });
    return reversed;
  }
  template <std::size_t N>
  static auto views(const std::array<variable, N>& inputs) {
    std::pair<std::array<matrix_view<const double, Memory>, N>, std::array<matrix_view<double, Memory>, N>> all;
    for (std::size_t i = 0; i < N; ++i) {
      all.first[i] = inputs[i].value;
      all.second[i] = inputs[i].gradient;
    }
    return all;
  }
  template <std::size_t N, class F>
  static double record(const std::array<variable, N>& inputs, F&& f) {
    const auto [values, gradients] = views(inputs);
    return variable::hand_policy ? f(values, gradients, typename backend<Memory>::execution{}) : f(values, gradients);
  }
  template <std::size_t N, class Forward, class Pull>
  static variable transform(const std::array<variable, N>& inputs, index_t rows, index_t cols, const Forward& forward, const Pull& pull) {
    const variable out = variable::zeros(rows, cols);
    forward(views(inputs).first, matrix_view<double, Memory>{out.elements(), rows, cols});
    variable::pulls.push_back([=] {
      const auto [values, gradients] = views(inputs);
      pull(values, matrix_view<const double, Memory>(out.gradient), gradients);
    });
    return out;
  }
};
using third_variable = tape_variable<third::memory>;

using namespace dalib;

namespace {

static_assert(machine_backend<third::memory> && machine_backend<host_memory>);

/// A tensor, and the same as one of the third machine.
struct tensor {
  checks::row_major<double> host;
  matrix_view<double, third::memory> view() { return {host.data(), host.rows(), host.cols()}; }
  matrix_view<const double, third::memory> view() const { return {host.data(), host.rows(), host.cols()}; }
};
tensor numbers(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed) { return {checks::random_rows<double>(rows, cols, seed)}; }

bool same(const checks::row_major<double>& a, const checks::row_major<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(double)) == 0;
}

/// The host's bits from the third machine, and that its own policy has run.
template <class OnHost, class OnThird>
void check_same(const OnHost& on_host, const OnThird& on_third) {
  tensor g = numbers(40, 5, 8), h = numbers(30, 5, 9), k = g, l = h;
  const double expected = on_host(g.host, h.host);
  third::policy::tasks = 0;
  CHECK(on_third(k.view(), l.view()) == expected);
  CHECK(third::policy::tasks > 0);
  CHECK(same(g.host, k.host));
  CHECK(same(h.host, l.host));
}

template <class Measure>
void check_two_samples(const Measure& measure) {
  const tensor s = numbers(40, 5, 1), t = numbers(30, 5, 2);
  check_same(
      [&](auto& g, auto& h) {
        return measure.value_and_gradient(s.host, t.host, gradients{g, h});
      },
      [&](auto g, auto h) {
        return measure.value_and_gradient(s.view(), t.view(), gradients{g, h});
      });
}

/// Value and gradients of a loss with a discriminator inside, its inputs being variables in `Memory`.
template <class Memory, class Loss>
double on_tape(Loss loss, const std::vector<tensor>& inputs, std::vector<tensor>& gradients) {
  using variable = tape_variable<Memory>;
  std::vector<variable> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const index_t rows = inputs[i].host.rows(), cols = inputs[i].host.cols();
    in.push_back({{inputs[i].host.data(), rows, cols}, {gradients[i].host.data(), rows, cols}});
  }
  double value = 0;
  if constexpr (requires { loss(in[0], in[1], in[2], in[3]); })
    value = loss(in[0], in[1], in[2], in[3]).loss;
  else
    value = loss(in[0], in[1]).loss;
  variable::pull_all();
  return value;
}

TEST_CASE("third machine: a loss with a network inside runs where the tape's values lie") {
  const auto discriminator = [](const auto& h) { // the first feature
    using V = std::remove_cvref_t<decltype(h)>;
    const index_t step = h.value.cols;
    return V{{h.value.data, h.value.rows, 1, step, 1}, {h.gradient.data, h.value.rows, 1, step, 1}};
  };
  const warm_start_reversal reversal{.alpha = 1, .iteration = 500};
  const auto check = [](const auto& loss, const std::vector<tensor>& inputs) {
    std::vector<tensor> expected = inputs, found = inputs;
    const double value = on_tape<host_memory>(loss, inputs, expected);
    third::policy::tasks = 0;
    CHECK(on_tape<third::memory>(loss, inputs, found) == value);
    CHECK(third::policy::tasks > 0);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      CHECK(same(expected[i].host, found[i].host));
      CHECK(expected[i].host.norm() > 0);
      CHECK_FALSE(same(expected[i].host, inputs[i].host));
    }
  };
  const tensor f = numbers(40, 5, 1), g = numbers(30, 5, 2), p = numbers(40, 3, 3), q = numbers(30, 3, 4);
  check(domain_adversarial_loss{discriminator, reversal}, {f, g});
  check(conditional_domain_adversarial_loss{discriminator, multilinear_map{}, conditioning::per_domain_entropy{}, reversal}, {p, f, q, g});
}

} // namespace

TEST_CASE("third machine: kernel measures of all kinds of estimators") {
  const auto kernels = kernel::gaussian_ladder{} + 0.3 * kernel::cosine{} + kernel::laplacian_l1{2.0};
  check_two_samples(mmd{kernels, estimator::unbiased{}});
  check_two_samples(mmd{kernel::gaussian{bandwidth::median{}}, estimator::biased{}});
  check_two_samples(mmd{kernels, estimator::linear_time{}});
  check_two_samples(mmd{kernels, estimator::block{7}});

  const tensor s = numbers(40, 5, 1), t = numbers(30, 5, 2);
  std::vector<double> ws(40, 1.5), wt(30, 0.5);
  ws[3] = wt[7] = 0;
  const mmd measure{kernels, estimator::unbiased{}};
  const sample<double, third::memory> weighted_s{s.view(), ws.data()}, weighted_t{t.view(), wt.data()};
  CHECK(measure(weighted_s, weighted_t) == measure(weighted(s.host, ws), weighted(t.host, wt)));
}

TEST_CASE("third machine: kernel matrix and its gradient") {
  const tensor x = numbers(30, 4, 1), upstream = numbers(30, 30, 2);
  tensor k = numbers(30, 30, 3), expected = k, g = x, expected_g = x;
  kernel_matrix(exec::serial{}, kernel::gaussian{}, x.host, expected.host);
  kernel_matrix(third::policy{}, kernel::gaussian{}, x.view(), k.view());
  CHECK(same(k.host, expected.host));
  const double sum = kernel_matrix_gradient(exec::serial{}, kernel::gaussian{}, x.host, upstream.host, expected_g.host);
  CHECK(kernel_matrix_gradient(third::policy{}, kernel::gaussian{}, x.view(), upstream.view(), g.view()) == sum);
  CHECK(same(g.host, expected_g.host));
  const tensor y = numbers(20, 4, 4), across = numbers(30, 20, 5);
  tensor h = y, expected_h = y;
  const double both =
      kernel_matrix_gradient(exec::serial{}, kernel::gaussian{}, x.host, y.host, across.host, gradients{expected_g.host, expected_h.host});
  CHECK(kernel_matrix_gradient(third::policy{}, kernel::gaussian{}, x.view(), y.view(), across.view(), gradients{g.view(), h.view()}) ==
        both);
  CHECK((same(g.host, expected_g.host) && same(h.host, expected_h.host)));
}

TEST_CASE("third machine: losses of class scores") {
  const tensor a = numbers(40, 5, 1), b = numbers(40, 5, 2), c = numbers(30, 5, 3), d = numbers(30, 5, 4);
  const tensor l = numbers(40, 1, 5), m = numbers(30, 1, 6);
  check_same(
      [&](auto& g, auto& h) {
        return margin_disparity{}.value_and_gradient(a.host, b.host, c.host, d.host, gradients{g, h});
      },
      [&](auto g, auto h) {
        return margin_disparity{}.value_and_gradient(a.view(), b.view(), c.view(), d.view(), gradients{g, h});
      });
  check_same([&](auto& g, auto&) { return class_balance{}.value_and_gradient(a.host, gradient{g}); },
             [&](auto g, auto) { return class_balance{}.value_and_gradient(a.view(), gradient{g}); });
  tensor g = a, h = b, k = a, n = b;
  CHECK(classifier_discrepancy{}.value_and_gradient(a.view(), b.view(), gradients{g.view(), h.view()}) ==
        classifier_discrepancy{}.value_and_gradient(a.host, b.host, gradients{k.host, n.host}));
  CHECK(same(g.host, k.host));
  const conditional_domain_adversarial cdan{conditioning::per_domain_entropy{}};
  tensor gl = l, gm = m, kl = l, km = m;
  check_same(
      [&](auto& u, auto& v) {
        return cdan.value_and_gradient(l.host, m.host, a.host, c.host, gradients{gl.host, gm.host}, gradients{u, v});
      },
      [&](auto u, auto v) {
        return cdan.value_and_gradient(l.view(), m.view(), a.view(), c.view(), gradients{kl.view(), km.view()}, gradients{u, v});
      });
  CHECK(same(gl.host, kl.host));
  CHECK(domain_accuracy(l.view(), m.view()) == domain_accuracy(l.host, m.host));
  CHECK(domain_adversarial<>{}.value_and_gradient(l.view(), m.view(), gradients{kl.view(), km.view()}) ==
        domain_adversarial<>{}.value_and_gradient(l.host, m.host, gradients{gl.host, gm.host}));
}

TEST_CASE("third machine: CDAN's maps") {
  const tensor f = numbers(40, 5, 1), g = numbers(40, 3, 2);
  const randomised_multilinear_map<double> random(5, 3, 12, 7);
  const randomised_multilinear_map<double, third::memory> own(5, 3, 12, 7), copied(random);
  const auto check = [&](const auto& map, const auto& third_map) {
    const Eigen::Index columns = map.columns(5, 3);
    tensor h = numbers(40, columns, 3), k = h, gf = f, gg = g, kf = f, kg = g;
    map(exec::serial{}, f.host, g.host, h.host);
    third_map(third::policy{}, f.view(), g.view(), k.view());
    CHECK(same(h.host, k.host));
    map.pull(exec::serial{}, f.host, g.host, h.host, gradients{gf.host, gg.host, -0.5});
    third_map.pull(third::policy{}, f.view(), g.view(), k.view(), gradients{kf.view(), kg.view(), -0.5});
    CHECK(same(gf.host, kf.host));
    CHECK(same(gg.host, kg.host));
  };
  check(multilinear_map{}, multilinear_map{});
  check(random, own); // in smaller blocks of rows there
  check(random, copied);
}

TEST_CASE("third machine: `checked` finds NaN") {
  tensor s = numbers(6, 3, 1), t = numbers(5, 3, 2);
  s.host(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(checks::contains(checks::message_of([&] { checked{mmd{}}(s.view(), t.view()); }), "row 4, column 1"));
}

TEST_CASE("third machine: a measure on a tape runs where the tape's values lie, by the policy that the tape hands over") {
  const tensor s = numbers(40, 5, 1), t = numbers(30, 5, 2), p = numbers(40, 3, 3), q = numbers(30, 3, 4);
  for (const bool handed : {false, true}) {
    third_variable::hand_policy = handed;
    check_same(
        [&](auto& g, auto& h) {
          return mmd{}.value_and_gradient(s.host, t.host, gradients{g, h});
        },
        [&](auto g, auto h) {
          return mmd{}(third_variable{s.view(), g}, third_variable{t.view(), h});
        });
    tensor gp = p, gq = q, hp = p, hq = q;
    check_same(
        [&](auto& g, auto& h) {
          return joint_mmd{}.value_and_gradient(layers(s.host, p.host), layers(t.host, q.host),
                                                layer_gradients<double, 2>{layers(g, gp.host), layers(h, gq.host)});
        },
        [&](auto g, auto h) {
          const third_variable vs{s.view(), g}, vt{t.view(), h}, vp{p.view(), hp.view()}, vq{q.view(), hq.view()};
          return joint_mmd{}(std::tuple{vs, vp}, std::tuple{vt, vq});
        });
    CHECK((same(gp.host, hp.host) && same(gq.host, hq.host) && !same(gp.host, p.host)));
  }
}
