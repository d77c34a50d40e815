#include <dalib/dalib.hpp>

#include <cstdint>
#include <doctest/doctest.h>
#include <stdexcept>

using dalib::workspace;
using dalib::workspace_mark;
using dalib::workspace_scope;

namespace {

template <class T>
bool aligned(const T* block) {
  return reinterpret_cast<std::uintptr_t>(block) % workspace::alignment == 0;
}

} // namespace

TEST_CASE("blocks are aligned, do not overlap and do not move when the workspace grows") {
  workspace scratch;
  char* first = scratch.allocate<char>(1);
  double* second = scratch.allocate_zero<double>(3);
  *first = 'a';
  second[2] = 4;
  double* large = scratch.allocate_zero<double>(100000);
  CHECK(aligned(first));
  CHECK(aligned(second));
  CHECK(aligned(large));
  CHECK(reinterpret_cast<char*>(second) - first >= 1);
  large[99999] = 1;
  CHECK(*first == 'a');
  CHECK(second[2] == 4);
  CHECK(second[0] == 0);
}

TEST_CASE("after a call that needed several chunks, the same call needs no new memory") {
  workspace scratch;
  const auto call = [&] {
    const workspace_scope scope(scratch);
    for (int i = 0; i < 5; ++i) scratch.allocate<float>(30000 * (i + 1));
  };
  call();
  call();
  const std::size_t held = scratch.capacity();
  CHECK(held >= 30000 * 15 * sizeof(float));
  for (int i = 0; i < 3; ++i) call();
  CHECK(scratch.capacity() == held);
}

TEST_CASE("a mark gives back what was drawn within it and keeps what was drawn before") {
  workspace scratch;
  int* kept = scratch.allocate<int>(4);
  kept[3] = 7;
  const int* within = nullptr;
  {
    const workspace_mark mark(scratch);
    within = scratch.allocate_zero<int>(100);
  }
  CHECK(scratch.allocate_zero<int>(100) == within);
  CHECK(kept[3] == 7);
}

TEST_CASE("what was drawn before a mark survives a mark within which the workspace grew") {
  workspace scratch;
  int* kept = scratch.allocate<int>(4);
  kept[0] = 11;
  for (int i = 0; i < 3; ++i) {
    const workspace_mark mark(scratch);
    scratch.allocate_zero<double>(50000);
  }
  scratch.allocate_zero<double>(50000);
  CHECK(kept[0] == 11);
}

TEST_CASE("a scope gives the memory back also when an exception leaves it") {
  workspace scratch;
  const int* first = nullptr;
  try {
    const workspace_scope scope(scratch);
    first = scratch.allocate<int>(10);
    throw std::runtime_error("left early");
  } catch (const std::runtime_error&) {
  }
  CHECK(scratch.allocate<int>(10) == first);
}
