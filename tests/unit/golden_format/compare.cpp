#include "golden/compare.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace golden;

namespace {

expected_output vector_output(bool relative = false) { return {"y", array({3}, {1.0, -2.0, 4.0}), 0.125, 0.5, relative}; }

double error_of(const std::vector<double>& values, const expected_output& expected, precision p = precision::float64) {
  std::string message;
  return error_in_tolerances(array(std::span<const double>(values)), expected, p, message);
}

} // namespace

TEST_CASE("the error is in units of the precision's tolerance") {
  CHECK(error_of({1.0, -2.0, 4.0}, vector_output()) == 0.0);
  CHECK(error_of({1.0, -2.25, 4.0}, vector_output()) == 2.0);
  CHECK(error_of({1.0, -2.25, 4.0}, vector_output(), precision::float32) == 0.5);
}

TEST_CASE("a relative output compares the quotient") {
  CHECK(error_of({1.0, -2.25, 4.0}, vector_output(true)) == 1.0);
  CHECK(error_of({1.0, 2.0, 4.0}, vector_output(true)) == 16.0);
}

TEST_CASE("anything that is not finite and any other shape is an infinite error") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(std::isinf(error_of({1.0, nan, 4.0}, vector_output())));
  CHECK(std::isinf(error_of({nan, nan, nan}, vector_output(true))));
  CHECK(std::isinf(error_of({1.0, -2.0, -infinity}, vector_output())));
  CHECK(std::isinf(error_of({1.0, -2.0}, vector_output())));
  std::string message;
  CHECK(std::isinf(error_in_tolerances(array({1, 3}, {1.0, -2.0, 4.0}), vector_output(), precision::float64, message)));
  CHECK(message == "has shape [1,3], expected [3]");
}

TEST_CASE("every expected output must be there, or be excused with a reason") {
  const std::vector<expected_output> expected{vector_output(), {"loss", array(2.0), 0.1, 0.1, false}};
  tally result;
  compare("c", expected, {"v", {{"loss", array(2.0)}}, {}}, precision::float64, result);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].what == "c / y (float64)");
  CHECK(result.failures[0].message == "was not computed");
  CHECK(result.comparisons == 2);

  tally excused;
  compare("c", expected, {"v", {{"loss", array(2.05)}}, {{"y", "no y here"}}}, precision::float32, excused);
  CHECK(excused.failures.empty());
  CHECK(excused.comparisons == 1);
  CHECK(excused.not_applicable.at("no y here") == 1);
  CHECK(excused.worst32 == doctest::Approx(0.5));
  CHECK(excused.worst64 == 0.0);
}

TEST_CASE("a wrong value is reported with its place") {
  tally result;
  compare("c", {vector_output()}, {"v", {{"y", array({3}, {1.0, -2.0, 5.0})}}, {}}, precision::float32, result);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].message.find("element 2") != std::string::npos);
  CHECK(result.failures[0].variants == std::vector<std::string>{"v"});
  CHECK(result.worst32 == 2.0);
}

TEST_CASE("an array refuses a shape that does not fit") { CHECK_THROWS_AS(array({2, 2}, {1.0, 2.0, 3.0}), std::invalid_argument); }
