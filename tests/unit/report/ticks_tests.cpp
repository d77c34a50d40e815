#include "report/axes.hpp"
#include "report/ticks.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

using namespace dalib::report;

namespace {

std::vector<std::string> labels(const std::vector<tick>& ticks) {
  std::vector<std::string> all;
  for (const tick& t : ticks) all.push_back(t.label);
  return all;
}

} // namespace

TEST_CASE("linear ticks stand at round numbers") {
  CHECK(labels(linear_ticks(0, 1000, 5)) == std::vector<std::string>{"0", "200", "400", "600", "800", "1,000"});
  CHECK(labels(linear_ticks(0, 1, 5)) == std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(linear_ticks(-0.031, 0.029, 3)) == std::vector<std::string>{"-0.02", "0.00", "0.02"});
  CHECK(labels(linear_ticks(0, 2e-6, 4)).back() == "2e-06");
  CHECK(labels(linear_ticks(0, 4e8, 4)).back() == "4e+08");
}

TEST_CASE("ticks of any range are inside, evenly spaced, distinct and few") {
  const double powers[] = {1e-12, 1e-5, 0.3, 1, 7, 123.4, 1e5, 1e9, 1e90};
  for (const double size : powers)
    for (const double low : {-1.0, 0.0, 0.37, 1.0, 50.0}) {
      const double from = low * size;
      const double to = (low + 1) * size;
      const auto ticks = linear_ticks(from, to, 6);
      CAPTURE(from);
      CAPTURE(to);
      REQUIRE(ticks.size() >= 3);
      REQUIRE(ticks.size() <= 13);
      std::set<std::string> seen;
      for (const tick& t : ticks) {
        CHECK(t.value >= from - 1e-8 * size);
        CHECK(t.value <= to + 1e-8 * size);
        CHECK(t.label.size() <= 12);
        seen.insert(t.label);
      }
      CHECK(seen.size() == ticks.size());
      for (std::size_t i = 2; i < ticks.size(); ++i)
        CHECK(ticks[i].value - ticks[i - 1].value == doctest::Approx(ticks[1].value - ticks[0].value).epsilon(1e-6));
    }
}

TEST_CASE("logarithmic ticks are powers of ten, or finer ones in short ranges") {
  CHECK(labels(log_ticks(0.0009, 2, 6)) == std::vector<std::string>{"0.001", "0.01", "0.1", "1"});
  CHECK(labels(log_ticks(1, 20, 6)) == std::vector<std::string>{"1", "2", "5", "10", "20"});
  CHECK(log_ticks(1.1, 1.4, 5).size() >= 2);
  CHECK(log_ticks(1e-90, 1e90, 6).size() <= 7);
}

TEST_CASE("ranges without a length are widened") {
  CHECK(padded(range{}, 0.1).low == 0);
  CHECK(padded(range{}, 0.1).high == 1);
  for (const double value : {0.0, 5.0, -3e80, 1e-200}) {
    const range r = padded({value, value}, 0.05);
    CHECK(r.low < value);
    CHECK(r.high > value);
    CHECK(linear_ticks(r.low, r.high, 5).size() >= 2);
  }
  range r;
  r.include(std::nan(""));
  r.include(std::numeric_limits<double>::infinity());
  r.include(1e200);
  CHECK(r.empty());
}

TEST_CASE("axes map their ends to 0 and 1") {
  const axis linear = make_axis({2, 6}, 0, 5);
  CHECK(linear.position(2) == 0);
  CHECK(linear.position(5) == 0.75);
  const axis logarithmic = make_axis({0.01, 100}, 0, 5, true);
  CHECK(logarithmic.position(1) == doctest::Approx(0.5));
  CHECK(std::isnan(logarithmic.position(0)));
  CHECK_FALSE(make_axis({-1, 10}, 0, 5, true).logarithmic);
}
