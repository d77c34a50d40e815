#include "conformance/samples.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// The message with which an estimator refuses these sizes; outputs are looked at too.
template <class Estimator>
std::string refusal(const Estimator& estimator, dalib::index_t n, dalib::index_t m, bool with_weights = false) {
  const matrix<double> zs = normal_rows<double>(n, 3, 1), zt = normal_rows<double>(m, 3, 2);
  matrix<double> gs = matrix<double>::Constant(n, 3, 42), gt = matrix<double>::Constant(m, 3, 42);
  const mmd measure{kernel::gaussian{}, estimator};
  const std::vector<double> ws(static_cast<std::size_t>(n), 1.0);
  std::string message;
  try {
    if (with_weights)
      measure.value_and_gradient(weighted(zs, ws), zt, gradients{gs, gt});
    else
      measure.value_and_gradient(zs, zt, gradients{gs, gt});
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  CHECK((gs.array() == 42).all());
  CHECK((gt.array() == 42).all());
  return message;
}

bool says(const std::string& message, std::initializer_list<const char*> words) {
  for (const char* word : words)
    if (message.find(word) == std::string::npos) {
      MESSAGE("`", message, "` does not say `", word, "`");
      return false;
    }
  return true;
}

} // namespace

TEST_CASE("too few samples: the measure's name, the estimator's, and both shapes") {
  CHECK(says(refusal(estimator::unbiased{}, 1, 4), {"mmd", "estimator::unbiased", "at least 2", "1 x 3", "4 x 3"}));
  CHECK(says(refusal(estimator::unbiased{}, 4, 1), {"mmd", "estimator::unbiased", "4 x 3", "1 x 3"}));
  CHECK(says(refusal(estimator::linear_time{}, 1, 4), {"mmd", "estimator::linear_time", "1 x 3", "4 x 3"}));
  CHECK(says(refusal(estimator::block{8}, 7, 9), {"mmd", "estimator::block", "not 8", "7 x 3", "9 x 3"}));
  CHECK(says(refusal(estimator::block{1}, 7, 9), {"mmd", "estimator::block", "not 1"}));
  CHECK(says(refusal(estimator::block{-3}, 7, 9), {"estimator::block", "not -3"}));
}

TEST_CASE("DALIB's estimators need equal sizes of at least 2") {
  CHECK(says(refusal(compat::nonlinear{}, 3, 4), {"mmd", "compat::nonlinear", "n_s = n_t", "3 x 3", "4 x 3"}));
  CHECK(says(refusal(compat::nonlinear{}, 1, 1), {"compat::nonlinear", "1 x 3"}));
  CHECK(says(refusal(compat::ring{}, 3, 4), {"mmd", "compat::ring", "3 x 3", "4 x 3"}));
  CHECK(says(refusal(compat::ring{}, 1, 1), {"compat::ring", ">= 2"}));
}

TEST_CASE("estimators over few pairs take no weights, and say so") {
  CHECK(says(refusal(estimator::linear_time{}, 4, 4, true), {"mmd", "estimator::linear_time takes no sample weights"}));
  CHECK(says(refusal(compat::ring{}, 4, 4, true), {"compat::ring takes no sample weights"}));
  CHECK(says(refusal(compat::nonlinear{}, 4, 4, true), {"compat::nonlinear takes no sample weights"}));
  CHECK(says(refusal(estimator::block{2, estimator::linear_time{}}, 4, 4, true), {"takes no sample weights"}));
}

TEST_CASE("a refusal inside blocks leaves the outputs untouched") {
  CHECK(says(refusal(estimator::block{3, compat::ring{}}, 6, 6, true), {"takes no sample weights"}));
}
