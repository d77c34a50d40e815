#include "train/models/class_centres.hpp"

#include <doctest/doctest.h>

using namespace dalib;

TEST_CASE("class centres: the target's rows get the nearest source class by angle, and its centres follow them") {
  train::class_centres<double> centres(3, 2, 3);
  Eigen::MatrixXd source(3, 2), target(4, 2);
  source << 2, 0, 0, 5, 0, 1; // classes 0, 1, 1; of class 2 nothing was seen
  target << 1, 0.1, 0.2, 4, -1, -1, 0, 0;
  const std::vector<std::int64_t> labels = {0, 1, 1};
  centres.see_source(source, labels);
  const auto first = centres.assign_target(target);
  CHECK(first.labels[0] == 0);
  CHECK(first.labels[1] == 1);
  CHECK(first.distances[0] == doctest::Approx((1 - 1 / std::sqrt(1.01)) / 2));
  CHECK(first.labels[2] != 2); // nobody goes to the class without a centre, however far the others are
  CHECK(first.distances[2] == doctest::Approx((1 + std::sqrt(0.5)) / 2));
  CHECK(first.distances[3] == doctest::Approx(0.5)); // features that are all 0 have no direction
  // A centre has moved towards its rows: the same row is nearer now, until the fourth batch starts at the source's again.
  const auto second = centres.assign_target(target);
  CHECK(second.distances[1] < first.distances[1]);
  centres.assign_target(target);
  CHECK(centres.assign_target(target).distances == first.distances);
}
