/// The weighted loss of CDAN on plain tensors: conditionings, gradients, reductions, extreme logits, errors.
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace dalib;

namespace {

template <class T>
struct problem {
  checks::row_major<T> l_s, l_t, g_s, g_t;
  problem(Eigen::Index n_s, Eigen::Index n_t, Eigen::Index classes, double width = 2)
      : l_s(checks::random_rows<T>(n_s, 1, 1, width)), l_t(checks::random_rows<T>(n_t, 1, 2, width)),
        g_s(checks::random_rows<T>(n_s, classes, 3, width)), g_t(checks::random_rows<T>(n_t, classes, 4, width)) {}
};

enum class scheme { none, joint, per_domain };

/// Weights of both domains, by the definition.
template <class T>
std::array<std::vector<long double>, 2> weights_of(const problem<T>& p, scheme how, long double offset = 0) {
  std::array<std::vector<long double>, 2> w;
  const auto of = [&](const auto& logits, std::vector<long double>& to) {
    const checks::extended q = checks::softmax(logits);
    for (Eigen::Index i = 0; i < q.rows(); ++i) {
      long double entropy = 0;
      for (Eigen::Index c = 0; c < q.cols(); ++c)
        if (q(i, c) > 0) entropy -= q(i, c) * std::log(q(i, c) + offset);
      to.push_back(how == scheme::none ? 1 : 1 + std::exp(-entropy));
    }
  };
  of(p.g_s, w[0]);
  of(p.g_t, w[1]);
  if (how == scheme::none) return w;
  std::array<long double, 2> sums{};
  for (std::size_t d = 0; d < 2; ++d)
    for (long double x : w[d]) sums[d] += x;
  const auto n = static_cast<long double>(w[0].size() + w[1].size());
  for (std::size_t d = 0; d < 2; ++d)
    for (long double& x : w[d]) x *= how == scheme::joint ? n / (sums[0] + sums[1]) : n / (2 * sums[d]);
  return w;
}

template <class T>
long double loss_of(const problem<T>& p, const std::array<std::vector<long double>, 2>& w) {
  long double total = 0;
  for (Eigen::Index i = 0; i < p.l_s.rows(); ++i)
    total += w[0][static_cast<std::size_t>(i)] * std::log1p(std::exp(-static_cast<long double>(p.l_s(i, 0))));
  for (Eigen::Index i = 0; i < p.l_t.rows(); ++i)
    total += w[1][static_cast<std::size_t>(i)] * std::log1p(std::exp(static_cast<long double>(p.l_t(i, 0))));
  return total / static_cast<long double>(p.l_s.rows() + p.l_t.rows());
}

template <class T, class Conditioning>
void check_value(const Conditioning& conditioning, scheme how, long double offset, double width) {
  for (const auto& [n_s, n_t, classes] : {std::array<Eigen::Index, 3>{7, 5, 4}, {1, 1, 2}, {40, 200, 10}, {3, 4, 1}}) {
    const problem<T> p(n_s, n_t, classes, width);
    const auto weights = weights_of(p, how, offset);
    const auto computed = weigh_samples(exec::serial{}, conditioning, const_view_of(p.g_s), const_view_of(p.g_t));
    REQUIRE(computed.values.size() == static_cast<std::size_t>(n_s + n_t));
    for (std::size_t i = 0; i < computed.values.size(); ++i) {
      const long double want = i < weights[0].size() ? weights[0][i] : weights[1][i - weights[0].size()];
      CHECK(static_cast<double>(computed.values[i]) == doctest::Approx(static_cast<double>(want)).epsilon(5 * checks::tolerance<T>()));
    }
    CHECK(static_cast<double>(conditional_domain_adversarial{conditioning}(p.l_s, p.l_t, p.g_s, p.g_t)) ==
          doctest::Approx(static_cast<double>(loss_of(p, weights))).epsilon(5 * checks::tolerance<T>()));
  }
}

TEST_CASE_TEMPLATE("weights and values agree with the definition, also for logits of 5e3", T, float, double) {
  for (double width : {2.0, 5e3}) {
    check_value<T>(conditioning::none{}, scheme::none, 0, width);
    check_value<T>(conditioning::joint_entropy{}, scheme::joint, 0, width);
    check_value<T>(conditioning::per_domain_entropy{}, scheme::per_domain, 0, width);
    check_value<T>(compat::entropy_conditioning{}, scheme::joint, 1e-5L, width);
  }
}

TEST_CASE("gradients: the discriminator's logits, and the entropy where it is reversed") {
  const problem<double> p(6, 9, 4);
  checks::matrix ls(6, 1), lt(9, 1), gs(6, 4), gt(9, 4);
  const auto run = [&](const auto& loss) {
    loss.value_and_gradient(p.l_s, p.l_t, p.g_s, p.g_t, gradients{ls, lt}, gradients{gs, gt});
    CHECK(checks::relative_error(ls, checks::differences([&](const auto& x) { return loss(x, p.l_t, p.g_s, p.g_t); }, p.l_s)) < 1e-8);
    CHECK(checks::relative_error(lt, checks::differences([&](const auto& x) { return loss(p.l_s, x, p.g_s, p.g_t); }, p.l_t)) < 1e-8);
  };
  run(conditional_domain_adversarial{conditioning::none{}});
  CHECK(gs.isZero(0));
  run(conditional_domain_adversarial{conditioning::joint_entropy{}});
  CHECK(gs.isZero(0));
  CHECK(gt.isZero(0));
  run(conditional_domain_adversarial{conditioning::per_domain_entropy{false}, reduction::sum{}});
  CHECK(gt.isZero(0));

  conditional_domain_adversarial reversed{conditioning::per_domain_entropy{true}};
  reversed.entropy_reversal = 0.3;
  run(reversed);
  // The normalisation is held fixed: differences of the raw weights' sum, times -lambda.
  const auto raw = [](const checks::matrix& logits, Eigen::Index i) {
    const checks::extended q = checks::softmax(logits.row(i));
    return static_cast<double>(1 + std::exp((q.array() * q.array().log()).sum()));
  };
  const auto partial = [&](const checks::matrix& logits, const auto& l, double sign) {
    return [&, sign, original = checks::matrix(logits)](const checks::matrix& x) {
      double total = 0, sum = 0;
      for (Eigen::Index i = 0; i < x.rows(); ++i) {
        total += raw(x, i) * std::log1p(std::exp(sign * l(i, 0)));
        sum += raw(original, i);
      }
      return -0.3 * total / (2 * sum);
    };
  };
  CHECK(checks::relative_error(gs, checks::differences(partial(p.g_s, p.l_s, -1), p.g_s)) < 1e-7);
  CHECK(checks::relative_error(gt, checks::differences(partial(p.g_t, p.l_t, 1), p.g_t)) < 1e-7);
}

TEST_CASE_TEMPLATE("reductions, scale and accumulation, thread counts", T, float, double) {
  const problem<T> p(301, 500, 10);
  using weight = conditioning::joint_entropy;
  const auto each = conditional_domain_adversarial{weight{}, reduction::none{}}(p.l_s, p.l_t, p.g_s, p.g_t);
  REQUIRE(each.size() == 801);
  double total = 0;
  for (T x : each) total += static_cast<double>(x);
  CHECK(static_cast<double>(conditional_domain_adversarial{weight{}, reduction::sum{}}(p.l_s, p.l_t, p.g_s, p.g_t)) ==
        doctest::Approx(total).epsilon(1e-5));
  const conditional_domain_adversarial loss{weight{}};
  checks::row_major<T> ls(301, 1), lt(500, 1);
  const T value = loss.value_and_gradient(exec::serial{}, p.l_s, p.l_t, p.g_s, p.g_t, gradients{ls, lt});
  CHECK(static_cast<double>(value) == doctest::Approx(total / 801).epsilon(1e-5));
  for (int threads : {1, 2, 3, 8}) {
    checks::row_major<T> as = checks::row_major<T>::Ones(301, 1), at = checks::row_major<T>::Ones(500, 1);
    CHECK(loss.value_and_gradient(exec::openmp{threads}, p.l_s, p.l_t, p.g_s, p.g_t, gradients{as, at, T(-2), write_mode::accumulate}) ==
          value);
    CHECK(((as.array() - (1 - 2 * ls.array())).abs() < T(1e-6)).all());
    CHECK(((at.array() - (1 - 2 * lt.array())).abs() < T(1e-6)).all());
  }
}

TEST_CASE("saturated discriminators: a living gradient, except with DALIB's clamps") {
  problem<float> p(1, 1, 2);
  p.l_s << -9000.0f;
  p.l_t << 9000.0f;
  Eigen::MatrixXf gs(1, 1), gt(1, 1);
  CHECK(conditional_domain_adversarial{}.value_and_gradient(p.l_s, p.l_t, p.g_s, p.g_t, gradients{gs, gt}) == doctest::Approx(9000));
  CHECK(gs(0, 0) == doctest::Approx(-0.5));
  CHECK(gt(0, 0) == doctest::Approx(0.5));
  const conditional_domain_adversarial clamped{conditioning::none{}, reduction::mean{}, compat::clamped_cross_entropy{}};
  CHECK(clamped.value_and_gradient(p.l_s, p.l_t, p.g_s, p.g_t, gradients{gs, gt}) == doctest::Approx(100));
  CHECK(gs(0, 0) == 0);
  CHECK(gt(0, 0) == 0);
}

TEST_CASE("accuracy counts all samples together, a logit of 0 as source") {
  checks::matrix l_s(3, 1), l_t(2, 1);
  l_s << 0, 2, -1;
  l_t << -3, 0;
  CHECK(pooled_domain_accuracy(l_s, l_t) == doctest::Approx(60));
  CHECK(domain_accuracy(l_s, l_t) == doctest::Approx(50 * (2.0 / 3 + 1.0 / 2)));
}

TEST_CASE("wrong shapes and NaN") {
  problem<double> p(4, 3, 5);
  checks::matrix ls = checks::matrix::Constant(4, 1, 7), lt = checks::matrix::Constant(3, 1, 7);
  const conditional_domain_adversarial loss{conditioning::joint_entropy{}};
  const auto refused = [&](const auto& a, const auto& b, const auto& c, const auto& d) {
    return checks::message_of([&] { loss.value_and_gradient(a, b, c, d, gradients{ls, lt}); });
  };
  CHECK(refused(p.l_s, p.l_t, p.g_t, p.g_t) ==
        "conditional_domain_adversarial: both kinds of source logits must have the same number of samples (got 4 x 1 and 3 x 5)");
  CHECK(checks::contains(refused(p.g_s, p.g_t, p.g_s, p.g_t), "one logit per sample (got 4 x 5 and 3 x 5)"));
  p.g_t(2, 4) = std::numeric_limits<double>::infinity();
  CHECK(checks::message_of([&] {
          checked{loss}.value_and_gradient(p.l_s, p.l_t, p.g_s, p.g_t, gradients{ls, lt});
        }) == "conditional_domain_adversarial: the target class logits (3 x 5) has a value that is not finite at row 2, column 4");
  CHECK((ls.array() == 7).all());
  CHECK((lt.array() == 7).all());
}

} // namespace
