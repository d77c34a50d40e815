/// Distances of distributions: differences, unequal sizes, threads, degenerate and bad input.
#include "support/loss_checks.hpp"

#include <dalib/compat/coral_with_means.hpp>
#include <dalib/measure/batch_spectral_penalisation.hpp>
#include <dalib/measure/central_moment_discrepancy.hpp>
#include <dalib/measure/contrastive_domain_discrepancy.hpp>
#include <dalib/measure/energy_distance.hpp>
#include <dalib/measure/feature_norm.hpp>
#include <dalib/measure/log_euclidean_coral.hpp>
#include <dalib/measure/sliced_wasserstein.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

using namespace dalib;
using checks::contains;
using checks::matrix;
using checks::message_of;

namespace {

const std::vector<std::int64_t> labels_s = {0, 1, 2, 0, 1, 2, 0, 1, 2}, labels_t = {2, 1, 0, 0, 1, 2, 2};

/// The measure of a third tensor with that held fixed.
template <class Measure>
struct along {
  Measure measure;
  matrix third;
  double operator()(const matrix& x, const matrix& y) const { return measure(x, y, third); }
  template <class Out>
  double value_and_gradient(const matrix& x, const matrix& y, const Out& out) const {
    return measure.value_and_gradient(x, y, third, out);
  }
};

matrix directions_of(Eigen::Index features, Eigen::Index count) {
  matrix result(features, count);
  fill_directions(result, 5);
  return result;
}
matrix target_predictions(Eigen::Index rows) { return checks::softmax(checks::random_matrix(rows, 3, 77)).cast<double>(); }

/// Calls check(loss, name) with every loss of samples (9, 4) and (7, 4).
template <class Check>
void for_each_loss(const Check& check) {
  check(coral{}, "CORAL");
  check(compat::coral_with_means{}, "TLlib's CORAL");
  check(log_euclidean_coral{0.1}, "log-Euclidean CORAL");
  check(central_moment_discrepancy{4}, "CMD");
  check(hard_feature_norm{3}, "HAFN");
  check(batch_spectral_penalisation{2}, "BSP");
  check(energy_distance{1.3}, "energy distance");
  check(along<sliced_wasserstein>{sliced_wasserstein{2}, directions_of(4, 6)}, "sliced, p = 2");
  check(along<sliced_wasserstein>{sliced_wasserstein{1.5}, directions_of(4, 6)}, "sliced, p = 1.5");
  check(contrastive_domain_discrepancy{labels_s, labels_t, 3}, "CDD");
}

TEST_CASE("gradients agree with central differences and are not zero, for unequal sizes") {
  const matrix x = checks::random_matrix(9, 4, 1), y = checks::random_matrix(7, 4, 2).array() + 0.4;
  for_each_loss([&](const auto& loss, const char* name) {
    CAPTURE(name);
    matrix gx(9, 4), gy(7, 4);
    const double value = loss.value_and_gradient(x, y, gradients{gx, gy});
    CHECK(value == loss(x, y));
    CHECK(std::min(gx.cwiseAbs().maxCoeff(), gy.cwiseAbs().maxCoeff()) > 1e-4);
    if (std::string(name) == "CDD") return; // its bandwidths are detached
    CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return loss(z, y); }, x)) < 1e-6);
    CHECK(checks::relative_error(gy, checks::differences([&](const auto& z) { return loss(x, z); }, y)) < 1e-6);
    matrix sum = matrix::Ones(9, 4);
    loss.value_and_gradient(x, y, gradients{sum, gy, -2.0, write_mode::accumulate});
    CHECK((sum.array() - 1 + 2 * gx.array()).abs().maxCoeff() < 1e-13);
  });
}

TEST_CASE("local MMD with a given scale agrees with central differences") {
  const matrix x = checks::random_matrix(9, 4, 1), y = checks::random_matrix(7, 4, 2);
  const along<local_mmd> loss{local_mmd{labels_s, local_classes::source, 6.0}, target_predictions(7)};
  matrix gx(9, 4), gy(7, 4);
  loss.value_and_gradient(x, y, gradients{gx, gy});
  CHECK(checks::relative_error(gx, checks::differences([&](const auto& z) { return loss(z, y); }, x)) < 1e-7);
  CHECK(checks::relative_error(gy, checks::differences([&](const auto& z) { return loss(x, z); }, y)) < 1e-7);
}

TEST_CASE("sliced Wasserstein has the gradient of its directions; random directions depend on the seed alone") {
  const matrix x = checks::random_matrix(9, 4, 1), y = checks::random_matrix(7, 4, 2), d = directions_of(4, 6);
  matrix gx(9, 4), gy(7, 4), gd(4, 6);
  const sliced_wasserstein loss{2};
  loss.value_and_gradient(x, y, d, gradients{gx, gy}, gradient{gd});
  CHECK(checks::relative_error(gd, checks::differences([&](const auto& z) { return loss(x, y, z); }, d)) < 1e-6);
  CHECK((d.colwise().norm().array() - 1).abs().maxCoeff() < 1e-14);
  CHECK(d == directions_of(4, 6));
}

TEST_CASE("the quantile coupling: repeated samples change nothing, weights are repetitions") {
  const matrix x = checks::random_matrix(3, 1, 4), y = checks::random_matrix(5, 1, 6);
  matrix twice(6, 1);
  twice << x, x;
  const wasserstein loss{1.7};
  CHECK(loss(twice, y) == doctest::Approx(loss(x, y)).epsilon(1e-14));
  matrix repeated(4, 1);
  repeated << x, x.row(1);
  const std::vector<double> w = {1, 2, 1};
  CHECK(loss(weighted(x, w), y) == doctest::Approx(loss(repeated, y)).epsilon(1e-14));
  matrix g(3, 1), h(5, 1);
  loss.value_and_gradient(weighted(x, w), y, gradients{g, h});
  CHECK(checks::relative_error(g, checks::differences([&](const auto& z) { return loss(weighted(z, w), y); }, x)) < 1e-7);
  CHECK(wasserstein{1}(x, x) == 0);
}

TEST_CASE_TEMPLATE("threads give the same bits", T, float, double) {
  const checks::row_major<T> x = checks::random_rows<T>(131, 70, 1), y = checks::random_rows<T>(90, 70, 2);
  std::vector<std::int64_t> of_x, of_y;
  for (int i = 0; i < 131; ++i) of_x.push_back(i % 3);
  for (int i = 0; i < 90; ++i) of_y.push_back((i / 7) % 3);
  const auto check = [&](const auto& call, const char* name) {
    CAPTURE(name);
    checks::row_major<T> gx(131, 70), gy(90, 70), hx(131, 70), hy(90, 70);
    const T value = call(exec::serial{}, gradients{gx, gy});
    for (int threads : {1, 2, 3}) {
      CHECK(call(exec::openmp{threads}, gradients{hx, hy}) == value);
      CHECK((hx.array() == gx.array()).all());
      CHECK((hy.array() == gy.array()).all());
    }
  };
  const auto two = [&](const auto& loss, const char* name) {
    check([&](const auto& exec, const auto& out) { return loss.value_and_gradient(exec, x, y, out); }, name);
  };
  two(coral{}, "CORAL");
  two(central_moment_discrepancy{}, "CMD");
  two(batch_spectral_penalisation{2}, "BSP");
  two(contrastive_domain_discrepancy{of_x, of_y, 3}, "CDD");
  const checks::row_major<T> d = directions_of(70, 40).cast<T>();
  check([&](const auto& exec, const auto& out) { return sliced_wasserstein{}.value_and_gradient(exec, x, y, d, out); }, "sliced");
}

TEST_CASE("a few singular values by subspace iteration are those of the full decomposition") {
  const matrix x = checks::random_matrix(150, 120, 3), y = 2 * matrix::Identity(120, 120); // all singular values of y are equal
  matrix gx(150, 120), gy(120, 120);
  const double value = batch_spectral_penalisation{2}.value_and_gradient(x, y, gradients{gx, gy});
  const exec::serial alone;
  workspace scratch;
  const detail::scratch_algebra work(alone, scratch);
  const detail::thin_svd svd = detail::svd_of(work, const_view_of(x));
  const matrix want = matrix::NullaryExpr(150, 120, [&](Eigen::Index i, Eigen::Index j) {
    return 2 * (svd.u(i, 0) * svd.values[0] * svd.v(j, 0) + svd.u(i, 1) * svd.values[1] * svd.v(j, 1));
  });
  CHECK(value == doctest::Approx(svd.values[0] * svd.values[0] + svd.values[1] * svd.values[1] + 8).epsilon(1e-12));
  CHECK(checks::relative_error(gx, want) < 1e-6);
  CHECK(gy.allFinite());
  CHECK(gy.norm() == doctest::Approx(std::sqrt(2.0) * 4)); // of one choice of two vectors
}

TEST_CASE("degenerate samples: equal rows, zero rows, the same batch twice") {
  const matrix same = matrix::Ones(6, 4), zero = matrix::Zero(5, 4), some = checks::random_matrix(6, 4, 8);
  matrix gx(6, 4), gy(5, 4), hy(6, 4);
  const auto finite = [&](const auto& loss, const char* name) {
    CAPTURE(name);
    CHECK(std::isfinite(loss.value_and_gradient(same, zero, gradients{gx, gy})));
    CHECK(gx.allFinite());
    CHECK(gy.allFinite());
  };
  finite(coral{}, "CORAL");
  finite(log_euclidean_coral{0.5}, "log-Euclidean CORAL"); // all eigenvalues are the ridge
  finite(central_moment_discrepancy{}, "CMD");
  finite(hard_feature_norm{}, "HAFN");
  finite(stepwise_feature_norm{}, "SAFN");
  finite(batch_spectral_penalisation{3}, "BSP");
  finite(energy_distance{0.7}, "energy distance");
  finite(along<sliced_wasserstein>{sliced_wasserstein{1}, directions_of(4, 3)}, "sliced, p = 1");
  const auto nothing = [&](const auto& loss) {
    CHECK(std::abs(loss.value_and_gradient(some, some, gradients{gx, hy})) < 1e-15);
    CHECK(gx.cwiseAbs().maxCoeff() < 1e-15);
  };
  nothing(coral{});
  nothing(log_euclidean_coral{});
  nothing(central_moment_discrepancy{});
  nothing(along<sliced_wasserstein>{sliced_wasserstein{2}, directions_of(4, 3)});
}

TEST_CASE_TEMPLATE("CORAL of equal samples is 0, not nearly 0", T, float, double) {
  const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> rows = checks::random_matrix(40, 16, 3).template cast<T>();
  const auto [value, g_s, g_t] = value_and_gradient(coral{}, rows, rows);
  CHECK(value == 0);
  CHECK(g_s.cwiseAbs().maxCoeff() == 0);
  CHECK(g_t.cwiseAbs().maxCoeff() == 0);
}

TEST_CASE("bad input is refused before anything is written") {
  const matrix x = checks::random_matrix(9, 4, 1), y = checks::random_matrix(7, 4, 2), other = checks::random_matrix(7, 3, 2);
  matrix gx = matrix::Constant(9, 4, 7), gy = matrix::Constant(7, 4, 7);
  const auto message = [&](const auto& loss, const auto& a, const auto& b) {
    return message_of([&] { loss.value_and_gradient(a, b, gradients{gx, gy}); });
  };
  CHECK(contains(message(coral{}, x, other), "coral: source and target must have the same number of features"));
  CHECK(contains(message(coral{}, x.topRows(1).eval(), y), "gradient"));
  CHECK(contains(message_of([&] { coral{}(x.topRows(1).eval(), y); }), "two samples"));
  CHECK(contains(message(log_euclidean_coral{}, x, matrix(matrix::Ones(7, 4))), "singular"));
  CHECK(contains(message(central_moment_discrepancy{0}, x, y), "at least one moment"));
  CHECK(contains(message(central_moment_discrepancy{3, 1, 1}, x, y), "range"));
  CHECK(contains(message(batch_spectral_penalisation{5}, x, y), "in 1 .. 4"));
  CHECK(contains(message(energy_distance{2.5}, x, y), "exponent"));
  CHECK(contains(message(wasserstein{2}, x, y), "one column"));
  CHECK(contains(message(along<sliced_wasserstein>{sliced_wasserstein{2}, directions_of(3, 2)}, x, y), "directions must be (F, L)"));
  CHECK(contains(message(along<sliced_wasserstein>{sliced_wasserstein{0.5}, directions_of(4, 2)}, x, y), "p must be"));
  const std::vector<std::int64_t> few = {0, 1}, missing = {0, 0, 0, 0, 0, 0, 0}, outside = {0, 1, 2, 3, 0, 0, 0};
  CHECK(contains(message(contrastive_domain_discrepancy{few, labels_t, 3}, x, y), "2 labels for 9 rows"));
  CHECK(contains(message(contrastive_domain_discrepancy{labels_s, missing, 3}, x, y), "class 1 is missing in the target"));
  CHECK(contains(message(contrastive_domain_discrepancy{labels_s, outside, 3}, x, y), "label 3 of row 3"));
  CHECK(contains(message(along<local_mmd>{local_mmd{labels_s}, target_predictions(6)}, x, y), "probabilities must be (n_t, C)"));
  CHECK((gx.array() == 7).all());
  CHECK((gy.array() == 7).all());
}

TEST_CASE("a class that is missing in a batch: local MMD is that of the others, or 0") {
  const matrix x = checks::random_matrix(4, 3, 1), y = checks::random_matrix(5, 3, 2);
  const std::vector<std::int64_t> one = {0, 0, 0, 0};
  matrix sure = matrix::Zero(5, 3), gx = matrix::Constant(4, 3, 7), gy = matrix::Constant(5, 3, 7);
  sure.col(2).setOnes();
  CHECK(local_mmd{one}.value_and_gradient(x, y, sure, gradients{gx, gy}) == 0);
  CHECK(gx.isZero(0));
  CHECK(gy.isZero(0));
}

} // namespace
