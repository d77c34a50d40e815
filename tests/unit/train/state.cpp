#include "train/state.hpp"

#include <array>
#include <doctest/doctest.h>
#include <string>

using namespace dalib;
using train::any_state_visitor;
using train::state_snapshot;

namespace {

/// State of all element types, one part under a prefix.
struct model {
  std::array<float, 6> weights{1, 2, 3, 4, 5, 6};
  double rate = 0.5;
  std::int64_t step = 7;
  std::uint64_t key = 9;

  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("weights", {2, 3}, std::span<float>(weights));
    visitor("rate", {}, std::span<double>(&rate, 1));
    auto inner = io::scoped(visitor, "counters.");
    inner("step", {}, std::span<std::int64_t>(&step, 1));
    inner("key", {}, std::span<std::uint64_t>(&key, 1));
  }
};

struct name_list : io::state_visitor<name_list> {
  std::string names;
  template <class T>
  void visit(const std::string& name, const io::tensor_shape& shape, std::span<T>) {
    names += name + "/" + std::to_string(shape.size()) + "/" + std::to_string(sizeof(T)) + " ";
  }
};

struct other_model : model {
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("weights", {3, 2}, std::span<float>(weights));
  }
};

} // namespace

TEST_CASE("state: a snapshot is a value and restores everything") {
  model original;
  const state_snapshot saved = state_snapshot::of(original);
  original.weights.fill(0);
  original.rate = 1;
  original.step = 0;
  original.key = 0;
  saved.restore(original);
  CHECK(original.weights == std::array<float, 6>{1, 2, 3, 4, 5, 6});
  CHECK(original.rate == 0.5);
  CHECK(original.step == 7);
  CHECK(original.key == 9);
}

TEST_CASE("state: a snapshot of another object is refused") {
  model original;
  other_model other;
  CHECK_THROWS_WITH_AS(state_snapshot::of(original).restore(other), doctest::Contains("at 'weights'"), std::invalid_argument);
}

TEST_CASE("state: a snapshot and a type-erased visitor show the object's own pieces") {
  model original;
  name_list direct, erased, copied;
  original.visit_state(direct);
  any_state_visitor any = any_state_visitor::of(erased);
  original.visit_state(any);
  state_snapshot snapshot = state_snapshot::of(original);
  snapshot.visit_state(copied);
  CHECK(direct.names == "weights/2/4 rate/0/8 counters.step/0/8 counters.key/0/8 ");
  CHECK(erased.names == direct.names);
  CHECK(copied.names == direct.names);
}
