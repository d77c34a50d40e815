/// CDAN with the map and the discriminator inside, on the example tape and on plain matrices.
#include "support/loss_checks.hpp"

#include "autodiff/autodiff.hpp"
#include "autodiff/dalib_graph.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using variable = ad::variable<double>;

namespace {

struct batch {
  checks::row_major<double> g_s = checks::random_matrix(5, 3, 1), f_s = checks::random_matrix(5, 4, 2),
                            g_t = checks::random_matrix(7, 3, 3), f_t = checks::random_matrix(7, 4, 4);
};

/// A linear discriminator, on the tape and on plain matrices.
struct linear_discriminator {
  checks::row_major<double> weight;
  variable parameter = ad::parameter(weight);
  explicit linear_discriminator(Eigen::Index columns) : weight(checks::random_matrix(columns, 1, 9)) {}
  linear_discriminator(const linear_discriminator&) = default;

  variable operator()(const variable& h) const { return ad::linear<double>(h, parameter, {}); }
  checks::row_major<double> operator()(const checks::row_major<double>& h) const { return h * weight; }
};

const warm_start_reversal halfway{1.0, 0.0, 1.0, 1000, 500};

/// The whole chain on the tape against central differences of the same class on plain matrices.
template <class Map, class Conditioning>
void check_chain(const Map& map, const Conditioning& conditioning, bool detach) {
  const batch b;
  const linear_discriminator discriminator(map.columns(4, 3));
  conditional_domain_adversarial_loss<linear_discriminator, Map, Conditioning> loss{discriminator, map, conditioning, halfway};
  loss.detach_predictions = detach;
  const auto value = [&](const batch& x) {
    auto fresh = loss;
    return fresh(x.g_s, x.f_s, x.g_t, x.f_t).loss;
  };
  const double expected = value(b), lambda = halfway.coefficient();
  const variable g_s = ad::parameter(b.g_s), f_s = ad::parameter(b.f_s), g_t = ad::parameter(b.g_t), f_t = ad::parameter(b.f_t);
  const auto result = loss(g_s, f_s, g_t, f_t);
  CHECK(result.loss.item() == doctest::Approx(expected).epsilon(1e-14));
  CHECK(loss.reversal.iteration == 501);
  CHECK(result.accuracy >= 0);
  CHECK(result.accuracy <= 100);
  ad::backward(result.loss);
  const auto moved = [&](auto batch::*which) {
    return checks::differences(
        [&](const checks::matrix& x) {
          batch changed = b;
          changed.*which = x;
          return value(changed);
        },
        b.*which);
  };
  CHECK(checks::relative_error(f_s.gradient(), checks::matrix(-lambda * moved(&batch::f_s))) < 1e-7);
  CHECK(checks::relative_error(f_t.gradient(), checks::matrix(-lambda * moved(&batch::f_t))) < 1e-7);
  CHECK(discriminator.parameter.gradient().norm() > 1e-6);
  if (detach && !conditioning.reverses_entropy()) {
    CHECK(!g_s.has_gradient());
    CHECK(!g_t.has_gradient());
  } else if (!conditioning.reverses_entropy()) {
    CHECK(checks::relative_error(g_s.gradient(), checks::matrix(-lambda * moved(&batch::g_s))) < 1e-7);
    CHECK(checks::relative_error(g_t.gradient(), checks::matrix(-lambda * moved(&batch::g_t))) < 1e-7);
  } else {
    CHECK(g_s.gradient().norm() > 1e-6);
    CHECK(g_t.gradient().norm() > 1e-6);
  }
}

TEST_CASE("features get the reversed gradient, predictions none unless they are attached") {
  check_chain(multilinear_map{}, conditioning::none{}, true);
  check_chain(multilinear_map{}, conditioning::none{}, false);
  check_chain(multilinear_map{}, conditioning::joint_entropy{}, true);
  check_chain(multilinear_map{}, compat::entropy_conditioning{}, true);
  check_chain(multilinear_map{}, conditioning::per_domain_entropy{true}, true);
  check_chain(randomised_multilinear_map<double>(4, 3, 16, 1), conditioning::none{}, false);
  check_chain(randomised_multilinear_map<double>(4, 3, 16, 1), conditioning::per_domain_entropy{false}, true);
}

TEST_CASE("per-sample values: one per sample of both domains, each with its own upstream gradient") {
  const batch b;
  const linear_discriminator discriminator(12);
  const variable f_s = ad::parameter(b.f_s), f_t = ad::parameter(b.f_t);
  conditional_domain_adversarial_loss each{discriminator, multilinear_map{}, conditioning::joint_entropy{}, halfway, reduction::none{}};
  conditional_domain_adversarial_loss mean{discriminator, multilinear_map{}, conditioning::joint_entropy{}, halfway, reduction::mean{}};
  const auto values = each(ad::constant(b.g_s), f_s, ad::constant(b.g_t), f_t).loss;
  REQUIRE(values.rows() == 12);
  ad::backward(ad::scale(ad::sum(values), 1.0 / 12));
  const checks::matrix from_each = f_s.gradient();
  f_s.clear_gradient();
  ad::backward(mean(ad::constant(b.g_s), f_s, ad::constant(b.g_t), f_t).loss);
  CHECK(checks::relative_error(f_s.gradient(), from_each) < 1e-13);
  conditional_domain_adversarial_loss refused{discriminator, multilinear_map{}, conditioning::per_domain_entropy{true}, halfway,
                                              reduction::none{}};
  CHECK(checks::contains(checks::message_of([&] { refused(b.g_s, b.f_s, b.g_t, b.f_t); }), "reduction::none"));
}

TEST_CASE("a graph outlives the loss that made it") {
  const batch b;
  const variable f_s = ad::parameter(b.f_s);
  variable loss;
  {
    conditional_domain_adversarial_loss temporary{linear_discriminator(16), randomised_multilinear_map<double>(4, 3, 16, 1)};
    temporary.reversal = halfway;
    loss = temporary(ad::constant(b.g_s), f_s, ad::constant(b.g_t), ad::constant(b.f_t)).loss;
  }
  ad::backward(loss);
  CHECK(f_s.gradient().norm() > 1e-6);
}

TEST_CASE("wrong shapes, and a discriminator that gives no single logit") {
  const batch b;
  conditional_domain_adversarial_loss loss{linear_discriminator(12)};
  CHECK(checks::message_of([&] { loss(b.g_t, b.f_s, b.g_t, b.f_t); }) ==
        "conditional_domain_adversarial_loss: source logits and features must have the same number of samples (got 7 x 3 and 5 x 4)");
  CHECK(loss.reversal.iteration == 0);
  const auto identity = [](const checks::row_major<double>& h) { return h; };
  conditional_domain_adversarial_loss wide{identity};
  CHECK(checks::contains(checks::message_of([&] { wide(b.g_s, b.f_s, b.g_t, b.f_t); }), "one logit per sample"));
}

} // namespace
