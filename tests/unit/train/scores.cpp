#include "train/scores.hpp"

#include <doctest/doctest.h>

using namespace dalib::train;
using doctest::Approx;

TEST_CASE("scores: accuracy counts rows whose largest logit is at the label") {
  Eigen::MatrixXf logits(4, 3);
  logits << 1, 2, 0, 5, 4, 3, 0, 0, 1, -3, -2, -1;
  CHECK(accuracy(logits, {1, 0, 2, 0}) == 75);
}

TEST_CASE("scores: probabilities are finite for any logits and sum to one") {
  Eigen::MatrixXf logits(2, 3);
  logits << 1e4F, 0, -1e4F, 1, 1, 1;
  const Eigen::MatrixXd p = probabilities(logits);
  CHECK(p(0, 0) == 1);
  CHECK(p(1, 2) == Approx(1.0 / 3));
  CHECK(p.rowwise().sum().isApproxToConstant(1));
}

TEST_CASE("scores: information maximisation is 1 for sure and balanced predictions, 0 for equal ones") {
  CHECK(information_maximisation(Eigen::MatrixXd::Identity(5, 5)) == Approx(1));
  CHECK(information_maximisation(Eigen::MatrixXd::Constant(7, 5, 0.2)) == Approx(0));
  Eigen::MatrixXd collapsed = Eigen::MatrixXd::Zero(6, 3);
  collapsed.col(1).setOnes();
  CHECK(information_maximisation(collapsed) == Approx(0));
  // H(mean) - mean H, by hand: mean (3/4, 1/4), row entropies 0 and log 2.
  Eigen::MatrixXd mixed(2, 2);
  mixed << 1, 0, 0.5, 0.5;
  CHECK(information_maximisation(mixed) == Approx((-0.75 * std::log(0.75) - 0.25 * std::log(0.25) - 0.5 * std::log(2.0)) / std::log(2.0)));
}

TEST_CASE("scores: neighbourhood density is 1 where all rows are equally similar and lower where they form groups") {
  CHECK(soft_neighbourhood_density(Eigen::MatrixXd::Constant(6, 4, 0.25)) == Approx(1));
  Eigen::MatrixXd pairs(6, 3);
  pairs << 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1;
  // Each row has one neighbour of similarity 1 and four of similarity 0: almost all weight on the one.
  const double other = std::exp(-20.0), total = 1 + 4 * other;
  const double entropy = -(std::log(1 / total) + 4 * other * std::log(other / total)) / total;
  CHECK(soft_neighbourhood_density(pairs) == Approx(entropy / std::log(5.0)));
}

TEST_CASE("scores: of an open set the known classes count equally, and the unknown one apart") {
  Eigen::MatrixXf logits = Eigen::MatrixXf::Zero(7, 3); // two known classes, the last is unknown
  const int predicted[] = {0, 0, 1, 1, 2, 2, 0};
  for (Eigen::Index i = 0; i < 7; ++i) logits(i, predicted[i]) = 1;
  const open_set_accuracy found = open_set_accuracies(logits, {0, 0, 0, 1, 2, 2, 2});
  CHECK(found.known == Approx((200.0 / 3 + 100) / 2));
  CHECK(found.unknown == Approx(200.0 / 3));
  CHECK(found.harmonic == Approx(2 * found.known * found.unknown / (found.known + found.unknown)));
  const open_set_accuracy none = open_set_accuracies(logits, {1, 1, 0, 0, 0, 0, 1}); // all wrong, nothing unknown
  CHECK(none.known == 0);
  CHECK(std::isnan(none.unknown));
  CHECK(std::isnan(none.harmonic));
  CHECK(open_set_accuracies(logits, {1, 1, 0, 0, 0, 0, 2}).harmonic == 0);
}
