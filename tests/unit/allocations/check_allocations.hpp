/// Whether a call with a kept scratch allocates.
#pragma once

#include <dalib/dalib.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>

/// Calls of operator new in this program; scratch.cpp counts them.
extern std::atomic<long> allocations;

namespace allocation_checks {

using namespace dalib;

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Allocations of the second and third call.
template <class Call>
long after_first(const Call& call) {
  workspace scratch;
  call(scratch);
  const long before = allocations;
  call(scratch);
  call(scratch);
  return allocations - before;
}

/// Value, and value with gradients, by two executions.
template <class Loss, class Out, class... Inputs>
void check(const char* what, const Loss& loss, const Out& out, const Inputs&... inputs) {
  CAPTURE(std::string(what));
  CHECK(after_first([&](workspace& scratch) { static_cast<void>(loss(exec::serial{}, inputs..., scratch)); }) == 0);
  CHECK(after_first([&](workspace& scratch) { static_cast<void>(loss(inputs..., scratch)); }) == 0);
  CHECK(after_first([&](workspace& scratch) { static_cast<void>(loss.value_and_gradient(inputs..., out, scratch)); }) == 0);
}

} // namespace allocation_checks
