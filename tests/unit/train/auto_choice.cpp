#include "train/auto_choice.hpp"
#include "train/auto_candidates.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace dalib;

namespace {

/// Logits that are sure of these classes.
Eigen::MatrixXf sure(const std::vector<int>& classes, Eigen::Index count) {
  Eigen::MatrixXf logits = Eigen::MatrixXf::Zero(static_cast<Eigen::Index>(classes.size()), count);
  for (std::size_t i = 0; i < classes.size(); ++i) logits(static_cast<Eigen::Index>(i), classes[i]) = 20;
  return logits;
}

std::size_t best_of(const std::vector<train::standing>& all) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].value() > all[best].value()) best = i;
  return best;
}

} // namespace

TEST_CASE("auto: agreement is with the class of the mean of all probabilities") {
  std::vector<Eigen::MatrixXf> logits(3, Eigen::MatrixXf::Zero(4, 2));
  logits[0].col(0) << 9, 9, -9, -9; // classes 0 0 1 1
  logits[1].col(0) << 9, 9, -9, 9;  // 0 0 1 0
  logits[2].col(0) << -9, 9, 9, 1;  // 1 0 0 0, the last not sure
  // The means: class 0 for rows 0 and 1, 1 for row 2; in row 3 two sure ones are equal and the third decides for 0.
  const std::vector<train::standing> all = train::standings(logits);
  CHECK(all[0].agreement == 0.75);
  CHECK(all[1].agreement == 1);
  CHECK(all[2].agreement == 0.5);
  CHECK(all[0].balance == doctest::Approx(1));
  CHECK(all[1].balance == doctest::Approx(0.811278)); // of a quarter and three quarters, in bits
  CHECK(all[2].balance == all[1].balance);
  CHECK_THROWS_AS(train::standings({}), std::invalid_argument);
  CHECK_THROWS_AS(train::standings(std::vector<Eigen::MatrixXf>(2, Eigen::MatrixXf::Zero(4, 1))), std::invalid_argument);
  CHECK_THROWS_AS(train::standings(std::vector<Eigen::MatrixXf>(2, Eigen::MatrixXf::Zero(0, 2))), std::invalid_argument);
  logits[1].conservativeResize(3, 2);
  CHECK_THROWS_AS(train::standings(logits), std::invalid_argument);
}

TEST_CASE("auto: who is alone in an error loses, and so do two who have taken one class for another") {
  const std::vector<int> right{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3}, alone{1, 2, 0, 1, 2, 0, 2, 0, 1, 3, 3, 3},
      merged{0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2};
  const auto standing_of = [](const std::vector<std::vector<int>>& models) {
    std::vector<Eigen::MatrixXf> logits;
    for (const auto& classes : models) logits.push_back(sure(classes, 4));
    return train::standings(logits);
  };
  CHECK(best_of(standing_of({alone, right, right})) == 1); // it has all classes in balance
  const std::vector<train::standing> outvoted = standing_of({merged, merged, right});
  CHECK(outvoted[0].agreement == 1);
  CHECK(outvoted[2].agreement == 0.75);
  CHECK(best_of(outvoted) == 2);
  // One class alone has no balance, whatever agrees with it.
  const std::vector<train::standing> collapsed = standing_of({std::vector<int>(12, 1), std::vector<int>(12, 1), alone});
  CHECK(collapsed[0].value() == 0);
  CHECK(best_of(collapsed) == 2);
}

TEST_CASE("auto: the candidates share the trainings, one of four is the second's") {
  const auto [first, second] = train::auto_candidates;
  for (const long trainings : {1L, 3L, 4L, 7L, 8L, 100L}) {
    CHECK(train::seeds_of_candidate(first, trainings) + train::seeds_of_candidate(second, trainings) == trainings);
    CHECK(train::seeds_of_candidate(second, trainings) == trainings / 4);
  }
  CHECK(train::seeds_of_candidate(first, train::auto_trainings) == 3);
  CHECK(train::seeds_of_candidate("source-only", 8) == 0);
}
