// What the report measures and chooses, apart from the page.
#include "train/domain_gap.hpp"
#include "train/evaluation.hpp"
#include "train/label_free.hpp"
#include "train/shown_samples.hpp"

#include <dalib/dalib.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace dalib;

namespace {

Eigen::MatrixXf normal(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> draw;
  return Eigen::MatrixXf::NullaryExpr(rows, columns, [&] { return draw(engine); });
}

} // namespace

TEST_CASE("domain gap: nothing between samples of one law, all between samples far apart") {
  const Eigen::MatrixXf source = normal(150, 20, 1), same = normal(90, 20, 2);
  const train::domain_gap none = train::measure_gap(source, same);
  CHECK(std::abs(none.mmd) < 0.02);
  CHECK(none.p_value > 0.05);
  CHECK(std::abs(none.a_distance) < 0.4);
  const Eigen::MatrixXf moved = (same.array() + 3).matrix();
  const train::domain_gap all = train::measure_gap(source, moved);
  CHECK(all.mmd > 1);
  CHECK(all.p_value == 1.0 / 500);
  CHECK(all.a_distance == 2);
  CHECK(all.domain_accuracy == 100);
  const Eigen::MatrixXf somewhat = (same.array() + 0.4F).matrix();
  const train::domain_gap between = train::measure_gap(source, somewhat);
  CHECK(between.mmd > none.mmd);
  CHECK(between.mmd < all.mmd);
  CHECK(between.a_distance > none.a_distance);
  CHECK(between.a_distance < 2);
  CHECK(between.a_distance == doctest::Approx(2 * (2 * between.domain_accuracy / 100 - 1)));
  CHECK(between.mmd == doctest::Approx(mmd{kernel::gaussian_ladder{}, estimator::unbiased{}}(source, somewhat)).epsilon(1e-4));
  // The unit of the features says nothing, nor does it which of them has the largest.
  Eigen::MatrixXf large_source = 1000 * source, large_target = 1000 * somewhat;
  CHECK(train::measure_gap(large_source, large_target).a_distance == doctest::Approx(between.a_distance));
  CHECK(train::measure_gap(large_source, large_target).mmd == doctest::Approx(between.mmd).epsilon(1e-3));
}

TEST_CASE("domain gap: features that are all equal, features that never move, and too few rows") {
  const Eigen::MatrixXf zeros = Eigen::MatrixXf::Zero(8, 3);
  const train::domain_gap nothing = train::measure_gap(zeros, zeros);
  CHECK(std::isnan(nothing.mmd));
  CHECK(std::isnan(nothing.a_distance));
  Eigen::MatrixXf source = normal(40, 6, 3), target = normal(40, 6, 4);
  source.leftCols(2).setConstant(5);
  target.leftCols(2).setConstant(5);
  const train::domain_gap some = train::measure_gap(source, target);
  CHECK(std::isfinite(some.mmd));
  CHECK(std::isfinite(some.a_distance));
  CHECK_THROWS_AS(train::measure_gap(source, target.topRows(3)), std::invalid_argument);
  CHECK_THROWS_AS(train::measure_gap(source, target.leftCols(5)), std::invalid_argument);
}

TEST_CASE("every score without labels has its sentence") {
  CHECK(train::meaning_of_score("score").find("held-out") != std::string_view::npos);
  for (const std::string_view name : train::label_free_names) CHECK(train::meaning_of_score(name).ends_with("."));
  CHECK_THROWS_AS(train::meaning_of_score("luck"), std::invalid_argument);
}

TEST_CASE("shown samples: the least certain in their order, the most certain of each class in turn") {
  const auto says = [](int label, double confidence) { return train::prediction{label, confidence, {}, ""}; };
  const std::vector<train::prediction> all{says(0, 0.9),  says(0, 0.99), says(2, 0.4), says(-1, 0),
                                           says(0, 0.95), says(2, 0.8),  says(1, 0.4)};
  const train::shown_samples some = train::choose_samples(all, 4);
  CHECK(some.unsure == std::vector<std::size_t>{2, 6, 5, 0}); // of equal ones the first; the unreadable one is none
  CHECK(some.sure == std::vector<std::size_t>{1, 4, 6, 5});   // classes 0, 0, 1, 2
  const train::shown_samples every = train::choose_samples(all, 100);
  CHECK(every.unsure.size() == 6);
  CHECK(every.sure == std::vector<std::size_t>{1, 4, 0, 6, 5, 2});
  CHECK(train::choose_samples({}, 3).sure.empty());
}
