#include "train/iteration_time.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace {

/// A clock that only steps move: the i-th takes the i-th number of seconds, all further ones the last.
struct made_up_steps {
  std::vector<double> seconds;
  double time = 100;
  std::size_t done = 0;

  double measured(const dalib::train::measured_share& share = {}) {
    return dalib::train::seconds_per_iteration([this] { time += seconds[std::min(done++, seconds.size() - 1)]; }, [this] { return time; },
                                               share);
  }
};

} // namespace

TEST_CASE("time estimate: the first iteration and a busy moment do not count") {
  made_up_steps steady{{0.5, 0.25}};
  CHECK(steady.measured() == 0.25);
  CHECK(steady.done == 5); // the first, and a second of others
  made_up_steps disturbed{{1, 0.125, 0.5, 0.125, 0.125, 0.75}};
  CHECK(disturbed.measured() == 0.125); // their mean is a quarter of a second
  CHECK(disturbed.done == 6);
  made_up_steps even{{0, 0.25, 0.75}};
  CHECK(even.measured() == 0.5); // two were measured
}

TEST_CASE("time estimate: it ends soon, however fast or slow iterations are") {
  made_up_steps fast{{0.001}};
  CHECK(fast.measured() == doctest::Approx(0.001));
  CHECK(fast.done == 16);
  CHECK(fast.measured({.most = 3}) == doctest::Approx(0.001));
  CHECK(fast.done == 20);
  made_up_steps slow{{40, 30}};
  CHECK(slow.measured() == 40); // the first is the only one
  CHECK(slow.done == 1);
  made_up_steps heavy{{1.5, 1.25}};
  CHECK(heavy.measured() == 1.25);
  CHECK(heavy.done == 2);
}

TEST_CASE("time estimate: a run is its iterations, its evaluations and what it predicts at the end") {
  using dalib::train::seconds_of;
  CHECK(seconds_of({.iterations = 300, .iteration_seconds = 0.5}) == 150);
  CHECK(seconds_of({.iterations = 300,
                    .evaluations = 3,
                    .evaluated = 400,
                    .predicted = 100,
                    .iteration_seconds = 0.5,
                    .evaluation_seconds = 0.125}) == 150 + 1300 * 0.125);
  CHECK(seconds_of({}) == 0);
}
