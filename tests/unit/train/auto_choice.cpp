#include "train/auto_choice.hpp"
#include "train/auto_budget.hpp"
#include "train/auto_candidates.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
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

namespace {

/// The first trainings, as the number of the method, x2 for two lengths, and behind a dot what the seed is more.
std::string order_of(long count, std::size_t round) {
  std::string text;
  for (const auto& [kind, number] : train::first_trainings(count, round))
    text += std::string(kind.method == train::auto_candidates[0] ? "0" : "1") + (kind.lengths == 1 ? "" : "x2") + "." +
            std::to_string(number) + " ";
  return text;
}

} // namespace

TEST_CASE("auto: trainings come in one order, each with the next seed of its kind") {
  constexpr std::size_t basic = train::auto_trainings, whole = train::auto_order.size();
  CHECK(order_of(0, basic).empty());
  CHECK(order_of(1, basic) == "0.0 ");
  CHECK(order_of(4, basic) == "0.0 0.1 0.2 1.0 ");
  CHECK(order_of(8, basic) == "0.0 0.1 0.2 1.0 0.3 0.4 0.5 1.1 ");
  CHECK(order_of(4, whole) == order_of(4, basic));
  CHECK(order_of(13, whole) == "0.0 0.1 0.2 1.0 0x2.0 1x2.0 0.3 0.4 0.5 1.1 0x2.1 1x2.1 0.6 ");
}

TEST_CASE("auto: a budget pays for trainings up to the first that does not fit") {
  const auto length = [](const train::auto_training& one) { return static_cast<double>(one.lengths); };
  CHECK(train::trainings_within(0.5, length) == 0);
  CHECK(train::trainings_within(1, length) == 1);
  CHECK(train::trainings_within(5.9, length) == 4); // the next has two lengths
  CHECK(train::trainings_within(6, length) == 5);
  CHECK(train::trainings_within(8, length) == 6);
  CHECK(train::trainings_within(9, length) == 7); // the next round's first
  const auto slow_second = [&](const train::auto_training& one) {
    return length(one) * (one.method == train::auto_candidates[1] ? 10 : 1);
  };
  CHECK(train::trainings_within(12, slow_second) == 3);
  CHECK(train::trainings_within(13, slow_second) == 4);
  CHECK(train::trainings_within(-5, length) == 0);
  CHECK(train::trainings_within(1e300, length) == train::most_trainings);
  CHECK(train::trainings_within(std::numeric_limits<double>::quiet_NaN(), length) == 0);
}

TEST_CASE("auto: a budget is a number of iterations or a time") {
  CHECK(train::parse_budget("4000").iterations == 4000);
  CHECK(train::parse_budget("4000").seconds == 0);
  CHECK(train::parse_budget("90s").seconds == 90);
  CHECK(train::parse_budget("90s").iterations == 0);
  CHECK(train::parse_budget("10min").seconds == 600);
  CHECK(train::parse_budget("1.5h").seconds == 5400);
  CHECK(train::parse_budget("0.25min").seconds == 15);
  CHECK(train::parse_budget("1000000000000").iterations == 1000000000000);
  CHECK(train::parse_budget("10000h").seconds == 36e6);
  CHECK(!train::training_budget{});
  CHECK(static_cast<bool>(train::parse_budget("1s")));
  const char* const wrong[] = {"",   " ",    "s",      "min",  "-5",   "+5",      "-5s",     "5 s",       " 5s",  "5m",
                               "5S", "5sec", "1e3",    "1e3s", "0x10", "nan",     "nans",    "inf",       "infs", ".5h",
                               "5.", "5.s",  "1.2.3h", "1,5h", "10.5", "5minmin", "1h30min", "\xc2\xb5s", "5\n"};
  for (const char* const text : wrong)
    CHECK_THROWS_WITH_AS(train::parse_budget(text), doctest::Contains("is neither"), std::invalid_argument);
  for (const char* const text : {"0", "000", "0s", "0.0h"})
    CHECK_THROWS_WITH_AS(train::parse_budget(text), doctest::Contains("for nothing"), std::invalid_argument);
  for (const char* const text : {"1000000000001", "99999999999999999999999999", "10001h", "99999999999999999999999999s"})
    CHECK_THROWS_WITH_AS(train::parse_budget(text), doctest::Contains("is too much"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(train::parse_budget(std::string(100000, 'x')), doctest::Contains("xxx' is neither"), std::invalid_argument);
}
