/// Scores for model selection without labels: extremes, order, threads, sizes, bad input.
#include "support/loss_checks.hpp"

#include <dalib/model_selection/scores.hpp>
#include <dalib/model_selection/validation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace selection = dalib::model_selection;
using checks::contains;
using checks::matrix;
using checks::message_of;

namespace {

/// Sure predictions of all classes equally often.
matrix best_logits(Eigen::Index rows, Eigen::Index classes, double width = 1e4) {
  matrix result = matrix::Zero(rows, classes);
  for (Eigen::Index i = 0; i < rows; ++i) result(i, i % classes) = width;
  return result;
}

TEST_CASE("sure and various predictions get the best scores, undecided ones the worst") {
  const matrix best = best_logits(20, 4), undecided = matrix::Zero(20, 4);
  const auto high = selection::label_free_scores(best), low = selection::label_free_scores(undecided);
  REQUIRE(high.size() == low.size());
  for (std::size_t i = 0; i < high.size(); ++i) {
    CAPTURE(high[i].name);
    CHECK(std::isfinite(high[i].value));
    CHECK(std::isfinite(low[i].value));
    if (high[i].name != "soft_neighbourhood_density") CHECK(high[i].value > low[i].value); // most alike when nothing is decided
  }
  CHECK(selection::entropy(best) == 0);
  CHECK(selection::information_maximisation(best).score == doctest::Approx(std::log(4)));
  CHECK(selection::confidence(undecided) == doctest::Approx(0.25));
  CHECK(selection::nuclear_norm(best) == doctest::Approx(1));
  CHECK(selection::softmax_correlation(best) == doctest::Approx(1));
  CHECK(selection::class_confusion(best) == doctest::Approx(0));
  CHECK(selection::class_confusion(undecided) == doctest::Approx(-0.75));
}

TEST_CASE("soft neighbourhood density in tiles is that of the whole matrix, with any number of threads") {
  const matrix logits = checks::random_matrix(300, 7, 3, 3);
  matrix q = checks::softmax(logits).cast<double>();
  q.rowwise().normalize();
  for (double temperature : {0.05, 1e-3}) {
    double mean = 0;
    for (Eigen::Index i = 0; i < 300; ++i) {
      Eigen::ArrayXd s = (q * q.row(i).transpose()).array() / temperature;
      s(i) = -std::numeric_limits<double>::infinity();
      const double top = s.maxCoeff();
      double sum = 0, weighted = 0;
      for (Eigen::Index j = 0; j < 300; ++j)
        if (j != i) {
          sum += std::exp(s(j) - top);
          weighted += std::exp(s(j) - top) * s(j);
        }
      mean += (top + std::log(sum) - weighted / sum) / 300;
    }
    const double serial = selection::soft_neighbourhood_density(logits, temperature, dalib::exec::serial{});
    CHECK(serial == doctest::Approx(mean).epsilon(1e-10));
    for (int threads : {1, 2, 3}) CHECK(selection::soft_neighbourhood_density(logits, temperature, dalib::exec::openmp{threads}) == serial);
  }
}

TEST_CASE("float and double agree; names and scores belong together") {
  const matrix logits = checks::random_matrix(40, 5, 4, 2), features = checks::random_matrix(40, 6, 5);
  const Eigen::MatrixXf logits32 = logits.cast<float>(), features32 = features.cast<float>();
  const auto wide = selection::label_free_scores(logits, features), narrow = selection::label_free_scores(logits32, features32);
  REQUIRE(wide.size() == selection::score_names().size());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    CAPTURE(wide[i].name);
    CHECK(wide[i].name == selection::score_names()[i]);
    CHECK(narrow[i].value == doctest::Approx(wide[i].value).epsilon(1e-5));
  }
}

TEST_CASE("clusters: the same partition, one cluster, a class that nobody predicts") {
  const std::vector<std::int64_t> a = {0, 0, 1, 1, 2, 2}, b = {5, 5, 3, 3, 4, 4}, one(6, 0);
  CHECK(selection::adjusted_mutual_information(a, b) == doctest::Approx(1));
  CHECK(selection::adjusted_mutual_information(one, one) == 1);
  CHECK(std::abs(selection::adjusted_mutual_information(a, one)) < 1e-12);
  matrix features(6, 1);
  features << 0, 0.1, 5, 5.1, 9, 9.1;
  CHECK(selection::silhouette(features, a) > 0.9);
  CHECK(selection::silhouette(features, one) == 0);
  matrix logits = matrix::Zero(6, 5);
  for (int i = 0; i < 6; ++i) logits(i, a[static_cast<std::size_t>(i)]) = 1; // classes 3 and 4 are predicted by none
  const auto found = selection::class_clusters(features, logits, false);
  CHECK(found.clusters == a);
  CHECK(found.ami == doctest::Approx(1));
}

TEST_CASE("validation: equal weights, all samples in the right domain") {
  const std::vector<double> w(4, 2.0), losses = {1, 0, 0, 1};
  const auto dev = selection::deep_embedded_validation(w, losses);
  CHECK(dev.eta == 0);
  CHECK(dev.risk == doctest::Approx(1));
  CHECK(selection::importance_weighted_validation(w, losses, true).score == doctest::Approx(-0.5));
  const std::vector<std::int64_t> domains = {1, 1, 0, 0}, wrong = {0, 1, 0, 1};
  CHECK(selection::proxy_a_distance(domains, domains).distance == 2);
  CHECK(selection::proxy_a_distance(domains, wrong).score == 0);
}

TEST_CASE("bad input") {
  const matrix none(0, 3), one = matrix::Zero(1, 3), some = matrix::Zero(4, 3);
  const std::vector<double> weights = {1, 2};
  const std::vector<std::int64_t> three = {0, 1, 0}, other = {0, 1, 2}, same = {1, 1, 1};
  CHECK(contains(message_of([&] { selection::entropy(none); }), "entropy: there must be at least one sample"));
  CHECK(contains(message_of([&] { selection::soft_neighbourhood_density(one); }), "at least two samples"));
  CHECK(contains(message_of([&] { selection::soft_neighbourhood_density(some, 0.0); }), "temperature"));
  CHECK(contains(message_of([&] { selection::rankme(some); }), "all features are 0"));
  CHECK(contains(message_of([&] { selection::deep_embedded_validation(weights, {}); }), "2 and 0"));
  CHECK(contains(message_of([&] { selection::proxy_a_distance(three, other); }), "0 (target) and 1 (source)"));
  CHECK(contains(message_of([&] { selection::proxy_a_distance(same, same); }), "both domains"));
  CHECK(contains(message_of([&] { selection::silhouette(some, three); }), "one cluster for each sample"));
  CHECK(contains(message_of([&] { selection::class_clusters(one, some); }), "the same samples"));
  CHECK(contains(message_of([&] { selection::importance_weights(some, 1, 1); }), "two columns"));
}

} // namespace
