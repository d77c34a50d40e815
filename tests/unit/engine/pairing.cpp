// The tournament's plan: in a round every group is in one pair, and in all rounds every two groups meet once.
#include <dalib/dalib.hpp>

#include <doctest/doctest.h>
#include <set>
#include <utility>

TEST_CASE("pairing: every two groups meet exactly once, each group once in a round") {
  using dalib::index_t;
  for (index_t groups = 2; groups <= 64; groups += 2) {
    CAPTURE(groups);
    const dalib::engine::pairing order{groups};
    std::set<std::pair<index_t, index_t>> met;
    for (index_t round = 0; round < order.rounds(); ++round) {
      std::set<index_t> playing;
      for (index_t which = 0; which < order.pairs(); ++which) {
        const auto [a, b] = order.pair(round, which);
        playing.insert({a, b});
        CHECK(met.insert({std::min(a, b), std::max(a, b)}).second);
      }
      CHECK(static_cast<index_t>(playing.size()) == groups);
      CHECK(*playing.begin() == 0);
      CHECK(*playing.rbegin() == groups - 1);
    }
    CHECK(static_cast<index_t>(met.size()) == groups * (groups - 1) / 2);
  }
}
