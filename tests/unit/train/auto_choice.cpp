#include "train/auto_choice.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("auto: agreement is with the class of the mean of all probabilities") {
  std::vector<Eigen::MatrixXf> logits(3, Eigen::MatrixXf::Zero(4, 2));
  logits[0].col(0) << 9, 9, -9, -9; // classes 0 0 1 1
  logits[1].col(0) << 9, 9, -9, 9;  // 0 0 1 0
  logits[2].col(0) << -9, 9, 9, 1;  // 1 0 0 0, the last not sure
  // The means: class 0 for rows 0 and 1, 1 for row 2; in row 3 two sure ones are equal and the third decides for 0.
  CHECK(train::agreements(logits) == std::vector<double>{0.75, 1, 0.5});
  CHECK(train::better_half(train::agreements(logits)) == std::vector<std::size_t>{1, 0});
  CHECK(train::better_half(std::vector<double>{1}) == std::vector<std::size_t>{0});
  CHECK(train::better_half(std::vector<double>{1, 3, 3, 2}) == std::vector<std::size_t>{1, 2});
  CHECK_THROWS_AS(train::agreements({}), std::invalid_argument);
  logits[1].conservativeResize(3, 2);
  CHECK_THROWS_AS(train::agreements(logits), std::invalid_argument);
}
