#include <doctest/doctest.h>
#include <nn/adam.hpp>
#include <nn/clipping.hpp>
#include <nn/mean_teacher.hpp>
#include <nn/rates.hpp>
#include <nn/sgd.hpp>

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

using namespace dalib;

namespace {

ad::variable<double> leaf_of(double value) { return ad::parameter(ad::matrix<double>::Constant(2, 3, value)); }
void give_gradient(const ad::variable<double>& p, double value) {
  p.clear_gradient();
  p.add_gradient([&](ad::map<double> target, ad::write) { target.setConstant(value); });
}

void give_more(const ad::variable<double>& p) { p.add_expression(p.value()); }

/// Keeps, or gives back, what a visitor of state is shown.
struct state_copy {
  bool restores = false;
  std::map<std::string, std::vector<double>> kept;

  template <class Number>
  void operator()(const std::string& name, const nn::shape&, std::span<Number> values) {
    std::vector<double>& own = kept[name];
    if (!restores) own.assign(values.begin(), values.end());
    for (std::size_t i = 0; restores && i < values.size(); ++i) values[i] = static_cast<Number>(own.at(i));
  }
};

/// One parameter and one buffer.
struct small_model {
  nn::parameter<double> weight{nn::shape{2}};
  nn::buffer<double> mean{2, 0};

  template <class Visitor>
  void parts(Visitor&& f) {
    f("weight", weight);
    f("mean", mean);
  }
};

/// One of two ranks, of which the other has `others`, the gradients of all parameters.
struct one_of_two : distributed::ranks {
  std::vector<double> others;

  one_of_two(int rank, std::vector<double> theirs) : distributed::ranks(rank, 2), others(std::move(theirs)) {}
  std::unique_ptr<distributed::transfer> start_deal(const void*, std::span<const std::size_t> bytes, void* mine) const override {
    REQUIRE((bytes[0] == bytes[1] && bytes[0] + bytes[1] == others.size() * sizeof(double)));
    const char* const theirs = reinterpret_cast<const char*>(others.data()) + (rank() == 0 ? 0 : bytes[0]);
    std::memcpy(static_cast<char*>(mine) + (rank() == 0 ? bytes[0] : 0), theirs, bytes[0]);
    return nullptr;
  }
  std::unique_ptr<distributed::transfer> start_gather(void* all, std::span<const std::size_t>) const override {
    const std::size_t half = others.size() / 2, first = rank() == 0 ? half : 0; // the other's piece, not yet a sum
    for (std::size_t i = first; i < first + half; ++i) static_cast<double*>(all)[i] += others[i];
    return nullptr;
  }
};

/// One of two ranks that have the same numbers.
struct twin : distributed::ranks {
  mutable int exchanges = 0;

  explicit twin(int rank) : distributed::ranks(rank, 2) {}
  void gather(const void* own, void* all, std::span<const std::size_t> bytes) const override {
    ++exchanges;
    for (const std::size_t place : {std::size_t{0}, bytes[0]}) std::memcpy(static_cast<char*>(all) + place, own, bytes[0]);
  }
  std::unique_ptr<distributed::transfer> start_deal(const void* own, std::span<const std::size_t> bytes, void* mine) const override {
    ++exchanges;
    const std::size_t own_bytes = bytes[rank() == 0 ? 0 : 1], others_place = rank() == 0 ? own_bytes : 0;
    std::memcpy(static_cast<char*>(mine) + others_place, static_cast<const char*>(own) + (rank() == 0 ? 0 : bytes[0]), own_bytes);
    return nullptr;
  }
  std::unique_ptr<distributed::transfer> start_gather(void* all, std::span<const std::size_t> bytes) const override {
    double* const piece = static_cast<double*>(all) + (rank() == 0 ? bytes[0] / sizeof(double) : 0); // the other's, not yet a sum
    for (std::size_t i = 0; i < bytes[rank() == 0 ? 1 : 0] / sizeof(double); ++i) piece[i] *= 2;
    return nullptr;
  }
};

} // namespace

TEST_CASE("Adam's first step has the length of the rate, whatever the gradient; decoupled decay is apart from it") {
  for (const double gradient : {1e-3, 1.0, 1e3}) {
    const auto p = leaf_of(2), q = leaf_of(2), slow = leaf_of(2), untouched = leaf_of(5);
    nn::adam<double> plain({{{p, untouched}, 1.0}, {{slow}, 0.1}}, {.learning_rate = 0.01, .epsilon = 0});
    nn::adam<double> decayed({{{q}, 1.0}}, {.learning_rate = 0.01, .epsilon = 0, .weight_decay = 0.5, .decoupled = true});
    for (const auto& one : {p, q, slow}) give_gradient(one, gradient);
    plain.step();
    decayed.step();
    CHECK(p.value()(1, 1) == doctest::Approx(1.99).epsilon(1e-14));
    CHECK(slow.value()(0, 2) == doctest::Approx(1.999).epsilon(1e-14));
    CHECK(q.value()(1, 1) == doctest::Approx(2 * (1 - 0.005) - 0.01).epsilon(1e-14));
    CHECK(untouched.value()(0, 0) == 5);
  }
}

TEST_CASE("Adam goes on from its state as if it had not stopped") {
  const auto p = leaf_of(1), again = leaf_of(1);
  const nn::adam_options options{.learning_rate = 0.1, .weight_decay = 0.01, .amsgrad = true};
  nn::adam<double> whole({{{p}, 1.0}}, options), first({{{again}, 1.0}}, options);
  const auto step = [](nn::adam<double>& optimiser, const ad::variable<double>& at, int i) {
    give_gradient(at, std::sin(3.0 * i));
    optimiser.step();
  };
  for (int i = 0; i < 6; ++i) step(whole, p, i);
  for (int i = 0; i < 3; ++i) step(first, again, i);
  state_copy state;
  first.visit_state(state);
  nn::adam<double> second({{{again}, 1.0}}, options);
  state.restores = true;
  second.visit_state(state);
  for (int i = 3; i < 6; ++i) step(second, again, i);
  CHECK(again.value()(0, 0) == p.value()(0, 0));
}

TEST_CASE("clipping: one norm over all, small gradients stay, parameters without one are left out") {
  const auto p = leaf_of(0), q = leaf_of(0), none = leaf_of(0);
  const std::vector<nn::parameter_group<double>> groups{{{p, none}, 1}, {{q}, 1}};
  give_gradient(p, 3);
  give_gradient(q, 4);
  CHECK(nn::clip_gradient_norm(groups, 100) == doctest::Approx(5 * std::sqrt(6)));
  CHECK(p.gradient()(0, 0) == 3);
  nn::clip_gradient_norm(groups, 1);
  CHECK(std::hypot(p.gradient().norm(), q.gradient().norm()) == doctest::Approx(1).epsilon(1e-6));
  nn::clip_gradient_values(groups, 0.1);
  CHECK(q.gradient()(1, 2) == 0.1);
  CHECK(!none.has_gradient());
}

TEST_CASE("clipping over ranks is of their sum, and the optimiser's step takes it as it is") {
  constexpr int entries = 6;
  const auto alone = leaf_of(2);
  nn::adam<double> single({{{alone}, 1.0}}, {.learning_rate = 0.01, .epsilon = 1});
  give_gradient(alone, 7);
  const double norm = nn::clip_gradient_norm<double>({{{alone}, 1}}, 2);
  nn::clip_gradient_values<double>({{{alone}, 1}}, 0.5);
  const double clipped = alone.gradient()(0, 0);
  single.step();
  for (const int rank : {0, 1}) {
    one_of_two ranks(rank, std::vector<double>(entries, 4));
    const distributed::ranks::scope here(ranks);
    const auto p = leaf_of(2);
    nn::adam<double> optimiser({{{p}, 1.0}}, {.learning_rate = 0.01, .epsilon = 1});
    give_gradient(p, 3);
    CHECK(nn::clip_gradient_norm<double>({{{p}, 1}}, 2) == norm);
    nn::clip_gradient_values<double>({{{p}, 1}}, 0.5);
    CHECK(p.gradient()(0, 0) == clipped);
    optimiser.step(); // sums nothing again
    CHECK(p.value()(1, 2) == alone.value()(1, 2));
  }
}

TEST_CASE("gradients are summed over ranks during the backward pass in buckets of any size, each when it is complete") {
  for (const int rank : {0, 1})
    for (const std::size_t bucket : {0U, 1U, 64U, 1000U}) { // bytes: behind the pass, each by itself, two together, all together
      twin ranks(rank);
      ranks.gradient_bucket = bucket;
      const distributed::ranks::scope here(ranks);
      const auto p = leaf_of(2), q = leaf_of(3), unused = leaf_of(4), before = leaf_of(5);
      give_gradient(before, 7);
      nn::sgd<double> optimiser({{{p, unused, q, before}, 1.0}}, {.learning_rate = 1, .momentum = 0});
      const auto loss = ad::sum(ad::add(ad::multiply(p, q), ad::multiply(p, p))); // p's gradient is q + 2 p, q's is p
      nn::backward_over_ranks(loss, optimiser.groups());
      optimiser.step();
      CHECK(p.value()(1, 2) == 2 - 2 * 7);
      CHECK(q.value()(0, 0) == 3 - 2 * 2);
      CHECK(unused.value()(0, 0) == 4);
      CHECK(before.value()(0, 0) == 5 - 2 * 7);
      CHECK(ranks.exchanges == (bucket == 0 || bucket == 1000 ? 1 : bucket == 1 ? 3 : 2));
      CHECK_THROWS_AS(give_more(p), std::logic_error);
    }
}

TEST_CASE("rates: ends and turning points") {
  CHECK(nn::cosine_rate{1, 0.1, 10}(0) == 1);
  CHECK(nn::cosine_rate{1, 0.1, 10}(10) == doctest::Approx(0.1));
  CHECK(nn::step_rate{1, 0.5, 3}(2) == 1);
  CHECK(nn::step_rate{1, 0.5, 3}(6) == 0.25);
  CHECK(nn::milestone_rate{1, 0.5, {2, 5}}(1) == 1);
  CHECK(nn::milestone_rate{1, 0.5, {2, 5}}(5) == 0.25);
  CHECK(nn::warm_up_cosine_rate{1, 4, 10}(0) == 0.25);
  CHECK(nn::warm_up_cosine_rate{1, 4, 10}(3) == 1);
  CHECK(nn::warm_up_cosine_rate{1, 4, 10}(10) == doctest::Approx(0));
}

TEST_CASE("a mean teacher starts as a copy, averages parameters and copies buffers") {
  small_model teacher, student;
  nn::fill_constant(student.weight, 4);
  student.mean.from_torch(std::span<const double>(std::vector<double>{1, 2}));
  nn::mean_teacher average{.alpha = 0.75};
  average.update(teacher, student);
  CHECK(teacher.weight.to_torch() == std::vector<double>{4, 4});
  CHECK(teacher.mean.to_torch() == std::vector<double>{1, 2});
  nn::fill_constant(student.weight, 8);
  average.update(teacher, student); // half and half: 1 - 1/2 is less than alpha
  CHECK(teacher.weight.to_torch() == std::vector<double>{6, 6});
  small_model other;
  other.weight = nn::parameter<double>(nn::shape{3});
  CHECK_THROWS_AS(average.update(teacher, other), std::invalid_argument);
}
