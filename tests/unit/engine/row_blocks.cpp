// Row blocks that travel: a caller who plays the plan by hand, on made-up machines, gets what the shared-memory engine gives, with the same
// bits however the blocks are dealt.
#include "conformance/samples.hpp"

#include <dalib/engine/host/row_blocks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

template <class T>
struct played {
  double value = 0;
  std::vector<matrix<T>> source, target; ///< gradients of each layer
};

/// A sum over pairs of one or two layers by blocks on `machines`, which share nothing but what is copied from one to the other.
template <class T, class... Kernels>
class hand_player {
  static constexpr std::size_t layer_count = sizeof...(Kernels);

public:
  std::vector<matrix<T>> source, target;
  std::vector<T> source_weights, target_weights;
  std::tuple<Kernels...> kernels;

  template <class Estimator>
  played<T> play(const Estimator& estimator, index_t machines) const {
    workspace scratch;
    const auto deal = engine::block_deal::of(source[0].rows(), target[0].rows(), engine::row_unit<T>, 32);
    const engine::travel_plan plan{deal.blocks()};
    engine::block_layout<layer_count> layout{deal.most_rows, {}, true, !source_weights.empty()};
    for (std::size_t l = 0; l < layer_count; ++l) layout.features[l] = source[l].cols();

    // What every machine knows of the whole sample: parts merged in the blocks' order.
    std::vector<engine::sample_summary<T>> summaries;
    sample_sizes sizes{};
    for (std::size_t l = 0; l < layer_count; ++l) {
      T* reference = scratch.allocate<T>(layout.features[l]);
      for (index_t f = 0; f < layout.features[l]; ++f) reference[f] = source[l](0, f);
      const auto moments = [&] {
        return engine::sample_moments<T>(layout.features[l], reference,
                                         scratch.allocate<double>(engine::sample_moments<T>::size(layout.features[l])));
      };
      auto of_source = moments(), of_target = moments(), all = moments();
      for (index_t b = 0; b < deal.blocks(); ++b) {
        auto part = moments();
        part.add(part_of(deal, b, l));
        (deal.of_source(b) ? of_source : of_target).merge(part);
        all.merge(part);
      }
      summaries.emplace_back(all, joint_sample_of(l), scratch);
      sizes = engine::sizes_of(of_source, of_target, layout.weighted, "played");
    }
    const auto layers = layers_of(std::index_sequence_for<Kernels...>{}, summaries, scratch);
    const engine::block_pairs pairs(engine::value_and_gradient_visitor{}, estimator.coefficients(sizes), layers, T(1));
    using block_type = typename decltype(pairs)::block;
    using sum_type = engine::accumulated<accumulator::plain, typename decltype(pairs)::numbers>;

    // Every place of the table has memory of its own on its machine.
    std::vector<block_type> table, arrived;
    std::vector<sum_type> sums(static_cast<std::size_t>(plan.columns()));
    auto worker = pairs.make_worker(layout, scratch);
    for (index_t b = 0; b < plan.blocks; ++b) {
      table.push_back(pairs.make_block(layout, scratch));
      arrived.push_back(pairs.make_block(layout, scratch));
      block_type& own = table.back();
      own.data.count = deal.count(b);
      own.data.of_source = deal.of_source(b);
      for (std::size_t l = 0; l < layer_count; ++l)
        for (index_t i = 0; i < own.data.count; ++i)
          for (index_t f = 0; f < layout.features[l]; ++f) own.data.rows(l)(i, f) = part_of(deal, b, l).rows(i, f);
      if (layout.weighted)
        for (index_t i = 0; i < own.data.count; ++i) own.data.weights()[i] = part_of(deal, b, 0).weights[i];
      pairs.pack(own);
      pairs.within(worker, own, sums[static_cast<std::size_t>(b / 2)]);
    }
    for (index_t round = 0; round < plan.rounds(); ++round) {
      // Machines in any order, here backwards.
      for (index_t m = machines - 1; m >= 0; --m)
        for (index_t c = plan.first_column(m, machines); c < plan.first_column(m + 1, machines); ++c)
          pairs.across(worker, table[at({c, false})], table[at({c, true})], sums[static_cast<std::size_t>(c)]);
      for (index_t c = 0; c < plan.columns(); ++c)
        for (const bool lower : {false, true}) {
          const engine::table_place from = plan.previous({c, lower});
          const index_t which = plan.block_at(round + 1, {c, lower});
          block_type& to = arrived[at({c, lower})];
          if (machine_of(plan, from.column, machines) == machine_of(plan, c, machines)) {
            std::swap(to, table[at(from)]); // no copy: the memory changes its place
            continue;
          }
          std::ranges::copy(table[at(from)].data.numbers(), to.data.memory);
          to.data.count = deal.count(which);
          to.data.of_source = deal.of_source(which);
          pairs.pack(to);
        }
      std::swap(table, arrived);
    }
    played<T> result;
    sum_type total;
    for (const sum_type& sum : sums) total.merge(sum);
    result.value = total.result()[0];
    for (std::size_t l = 0; l < layer_count; ++l) {
      result.source.push_back(matrix<T>::Zero(source[l].rows(), source[l].cols()));
      result.target.push_back(matrix<T>::Zero(target[l].rows(), target[l].cols()));
      for (index_t b = 0; b < plan.blocks; ++b) // all are at home again
        for (index_t i = 0; i < deal.count(b); ++i)
          for (index_t f = 0; f < layout.features[l]; ++f)
            (deal.of_source(b) ? result.source : result.target)[l](deal.first(b) + i, f) =
                table[static_cast<std::size_t>(b)].data.gradient(l)(i, f);
    }
    return result;
  }

private:
  static std::size_t at(engine::table_place place) { return static_cast<std::size_t>(2 * place.column + (place.lower ? 1 : 0)); }
  static index_t machine_of(const engine::travel_plan& plan, index_t column, index_t machines) {
    index_t m = 0;
    while (plan.first_column(m + 1, machines) <= column) ++m;
    return m;
  }
  sample<T> part_of(const engine::block_deal& deal, index_t b, std::size_t l) const {
    const auto& rows = (deal.of_source(b) ? source : target)[l];
    const auto& weights = deal.of_source(b) ? source_weights : target_weights;
    return {const_view_of(rows).rows_from(deal.first(b), deal.count(b)), weights.empty() ? nullptr : weights.data() + deal.first(b)};
  }
  engine::joint_sample<T> joint_sample_of(std::size_t l) const {
    return {{const_view_of(source[l]), source_weights.empty() ? nullptr : source_weights.data()},
            {const_view_of(target[l]), target_weights.empty() ? nullptr : target_weights.data()}};
  }
  template <std::size_t... L>
  auto layers_of(std::index_sequence<L...>, const std::vector<engine::sample_summary<T>>& summaries, workspace& scratch) const {
    bandwidth::state_journal journal;
    using data = bandwidth::call_data<engine::sample_summary<T>, workspace>;
    const auto one = [&](const auto& kernel, std::size_t l) {
      const auto bound = dalib::bind(kernel, data{&summaries[l], &scratch, &journal});
      return engine::layer<T, std::remove_const_t<decltype(bound)>>{{}, &summaries[l], bound, {}, {}};
    };
    return std::tuple{one(std::get<L>(kernels), L)...};
  }
};

template <class T>
void check_same_bits(const played<T>& a, const played<T>& b) {
  CHECK(a.value == b.value);
  for (std::size_t l = 0; l < a.source.size(); ++l) CHECK((a.source[l] == b.source[l] && a.target[l] == b.target[l]));
}

} // namespace

TEST_CASE("travel_plan: every two blocks meet once, one block passes each border in each direction, and all come home") {
  for (index_t blocks = 2; blocks <= 40; blocks += 2) {
    CAPTURE(blocks);
    const engine::travel_plan plan{blocks};
    std::set<std::pair<index_t, index_t>> met;
    for (index_t round = 0; round < plan.rounds(); ++round) {
      std::vector<int> right(static_cast<std::size_t>(plan.columns())), left = right;
      for (index_t c = 0; c < plan.columns(); ++c) {
        const index_t a = plan.block_at(round, {c, false}), b = plan.block_at(round, {c, true});
        CHECK(met.insert({std::min(a, b), std::max(a, b)}).second);
        for (const bool lower : {false, true}) {
          const auto to = plan.next({c, lower}), back = plan.previous(to);
          CHECK(plan.block_at(round, {c, lower}) == plan.block_at(round + 1, to));
          CHECK((back.column == c && back.lower == lower));
          CHECK(std::abs(to.column - c) <= 1);
          if (to.column > c) ++right[static_cast<std::size_t>(c)];
          if (to.column < c) ++left[static_cast<std::size_t>(to.column)];
        }
      }
      for (index_t c = 0; c + 1 < plan.columns(); ++c)
        CHECK((right[static_cast<std::size_t>(c)] == 1 && left[static_cast<std::size_t>(c)] == 1));
    }
    CHECK(static_cast<index_t>(met.size()) == blocks * (blocks - 1) / 2);
    for (index_t b = 0; b < blocks; ++b) CHECK(plan.block_at(plan.rounds(), {b / 2, b % 2 == 1}) == b);
  }
}

TEST_CASE("block_deal: every row is in one block of its domain") {
  for (const auto& [n, m] : {std::pair<index_t, index_t>{1, 1}, {16, 17}, {1000, 3}, {400, 700}, {100000, 50000}}) {
    const auto deal = engine::block_deal::of(n, m, 16, 192);
    index_t source = 0, target = 0;
    for (index_t b = 0; b < deal.blocks(); ++b) {
      index_t& next = deal.of_source(b) ? source : target;
      if (deal.count(b) > 0) CHECK(deal.first(b) == next);
      next += deal.count(b);
      CHECK(deal.count(b) <= deal.most_rows);
    }
    CHECK((source == n && target == m && deal.blocks() % 2 == 0 && deal.most_rows <= 192));
  }
}

TEST_CASE("a plan played by hand gives the engine's value and gradient, whatever the number of machines; weights, float") {
  hand_player<float, kernel::gaussian_ladder<>> player;
  player.source = {normal_rows<float>(161, 20, 1)};
  player.target = {normal_rows<float>(120, 20, 2, 1.2, 0.4)};
  player.source[0].row(7) = player.source[0].row(100); // pairs that no inner product tells, in different blocks
  player.target[0].row(5) = player.source[0].row(3);
  const mmd<kernel::gaussian_ladder<>> measure;
  for (const bool with_weights : {false, true}) {
    CAPTURE(with_weights);
    if (with_weights) {
      for (index_t i = 0; i < 161; ++i) player.source_weights.push_back(static_cast<float>(1 + i % 3));
      for (index_t i = 0; i < 120; ++i) player.target_weights.push_back(static_cast<float>(i % 2));
    }
    const played<float> once = player.play(measure.estimator, 1);
    matrix<float> gs = player.source[0], gt = player.target[0];
    const float value = with_weights ? measure.value_and_gradient(weighted(player.source[0], player.source_weights),
                                                                  weighted(player.target[0], player.target_weights), gradients{gs, gt})
                                     : measure.value_and_gradient(player.source[0], player.target[0], gradients{gs, gt});
    CHECK(value > 0.01f);
    CHECK(std::abs(once.value - static_cast<double>(value)) < 1e-6);
    CHECK((once.source[0] - gs).norm() < 1e-5f * gs.norm());
    CHECK((once.target[0] - gt).norm() < 1e-5f * gt.norm());
    for (const index_t machines : {2, 3, 4, 5}) check_same_bits(once, player.play(measure.estimator, machines));
  }
}

TEST_CASE("a plan played by hand: two layers, a statistic that adds up and one that a shift changes, in double") {
  using kernels = decltype(layer_kernels(kernel::gaussian{} * kernel::cosine{}, kernel::laplacian_l1{3.0} + kernel::linear{}));
  hand_player<double, std::tuple_element_t<0, kernels>, std::tuple_element_t<1, kernels>> player{
      {}, {}, {}, {}, layer_kernels(kernel::gaussian{} * kernel::cosine{}, kernel::laplacian_l1{3.0} + kernel::linear{})};
  player.source = {normal_rows<double>(90, 11, 1, 1.0, 0.5), normal_rows<double>(90, 5, 2)};
  player.target = {normal_rows<double>(181, 11, 3, 1.1, 0.8), normal_rows<double>(181, 5, 4, 1.0, 0.3)};
  const joint_mmd measure{player.kernels, estimator::biased{}};
  const auto [value, gs, gt] =
      value_and_gradient(measure, layers(player.source[0], player.source[1]), layers(player.target[0], player.target[1]));
  const played<double> once = player.play(measure.estimator, 1);
  CHECK(std::abs(value) > 1e-3);
  CHECK(std::abs(once.value - value) < 1e-12);
  CHECK((once.source[0] - std::get<0>(gs)).norm() < 1e-12 * std::get<0>(gs).norm());
  CHECK((once.source[1] - std::get<1>(gs)).norm() < 1e-12 * std::get<1>(gs).norm());
  CHECK((once.target[0] - std::get<0>(gt)).norm() < 1e-12 * std::get<0>(gt).norm());
  CHECK((once.target[1] - std::get<1>(gt)).norm() < 1e-12 * std::get<1>(gt).norm());
  check_same_bits(once, player.play(measure.estimator, 3));
}
