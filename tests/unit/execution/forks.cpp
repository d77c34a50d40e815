// The child of a fork, where OpenMP's threads are no more, computes on its own thread.
#include "conformance/check_execution.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

using namespace dalib;
using conformance::normal_rows;

namespace {

/// Exit status of `body` in a forked child, which is ended if it has not answered after some seconds.
template <class Body>
int status_in_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

} // namespace

TEST_CASE("after a parallel region a forked child, and its child, get the same bits and do not hang") {
  const auto zs = normal_rows<float>(200, 6, 1), zt = normal_rows<float>(150, 6, 2);
  const mmd<> pairs;
  const domain_adversarial<> rows;
  const auto column_s = normal_rows<float>(3000, 1, 3), column_t = normal_rows<float>(2000, 1, 4);
  const exec::openmp three{3};
  const float of_pairs = pairs(three, zs, zt), of_rows = rows(column_s, column_t);
  const auto same = [&] {
    return pairs(three, zs, zt) == of_pairs && pairs(zs, zt) == of_pairs && rows(column_s, column_t) == of_rows;
  };
  CHECK(status_in_child(same) == 0);
  CHECK(status_in_child([&] { return status_in_child(same) == 0; }) == 0);
  CHECK(same()); // the parent has lost nothing
}
