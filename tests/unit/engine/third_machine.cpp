/// A machine of a user's own runs every measure: dalib::backend is all that it takes.
#include "support/third_machine.hpp"
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <limits>

template <>
struct dalib::backend<third::memory> : third::machine {};

/// A variable of a tape in the third machine's memory, which says at run time who runs its losses.
struct third_variable {
  dalib::matrix_view<const double, third::memory> value;
  dalib::matrix_view<double, third::memory> gradient;
};
template <>
struct dalib::graph_traits<third_variable> {
  using scalar = double;
  static inline bool hand_policy = false;
  static auto view(const third_variable& v) { return v.value; }
  template <std::size_t N, class F>
  static double record(const std::array<third_variable, N>& inputs, F&& f) {
    std::array<matrix_view<const double, third::memory>, N> values;
    std::array<matrix_view<double, third::memory>, N> gradients;
    for (std::size_t i = 0; i < N; ++i) {
      values[i] = inputs[i].value;
      gradients[i] = inputs[i].gradient;
    }
    return hand_policy ? f(values, gradients, third::policy{}) : f(values, gradients);
  }
};

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
    graph_traits<third_variable>::hand_policy = handed;
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
