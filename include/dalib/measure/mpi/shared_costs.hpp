/// @file
/// The costs of entropic transport over ranks: all have all points and potentials, each finds the soft minima of its part of the rows.
#pragma once

#include "dalib/engine/mpi/agreement.hpp"
#include "dalib/engine/mpi/shared_rows.hpp"
#include "dalib/measure/sinkhorn_divergence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace dalib::detail {

/// Whether a measure of gathered rows shares its work among the ranks.
template <class Measure>
inline constexpr bool shares_rows = false;
template <>
inline constexpr bool shares_rows<sinkhorn_divergence> = true;

/// What must be the same on all ranks before they depend on each other's messages.
inline void add_settings(engine::fingerprint& all, const sinkhorn_divergence& loss) {
  const sinkhorn_settings& set = loss.settings;
  all.add(set.power), all.add(set.blur), all.add(set.reach), all.add(set.debias), all.add(set.scaling), all.add(set.tolerance);
  all.add(set.iterations), all.add(loss.memory != nullptr);
  if (loss.memory == nullptr) return;
  for (const auto* potentials : {&loss.memory->across, &loss.memory->source, &loss.memory->target}) {
    all.add(potentials->size());
    for (const double number : *potentials) all.add(number);
  }
}

/// What a row's pull takes of each pair: P_ij = e^(own_i + other_j - C_ij / epsilon), over the distance where the cost is one.
struct pull_weights {
  int power;
  double rate; ///< 1 / epsilon

  template <class V>
  V operator()(const V& minus_cost, const V& exponent) const {
    using std::exp;
    const V share = exp(exponent + V(rate) * minus_cost);
    return power == 2 ? share : where_greater(-minus_cost, V(0), share / -minus_cost, V(0));
  }
  /// Replaces a row's -C by its weights. @returns their sum
  double of_row(double* row, double own, const double* other, index_t count) const {
    using vector = pack<double>;
    index_t j = 0;
    for (; j + vector::size <= count; j += vector::size)
      (*this)(vector::load(row + j), vector(own) + vector::load(other + j)).store(row + j);
    for (; j < count; ++j) row[j] = (*this)(row[j], own + other[j]);
    return std::accumulate(row, row + count, 0.0);
  }
};

/// sum_j e^(x_j): log_sum_exp's states of several registers, and their end.
template <int Count>
struct exponent_states {
  using vector = pack<double>;
  vector rows[Count][2];

  exponent_states() {
    for (auto& row : rows) engine::log_sum_exp{}.start(row);
  }
  void visit(int k, const vector& exponent, const vector& potential) { engine::log_sum_exp{}.visit(rows[k], exponent, potential); }
  /// log sum_j e^(rate * minus_costs_j + potentials_j) of a row of whole registers.
  static double of_row(const double* minus_costs, const double* potentials, index_t count, double rate) {
    exponent_states states;
    for (index_t j = 0; j < count; j += Count * vector::size)
      for (int k = 0; k < Count && j + k * vector::size < count; ++k) {
        const index_t at = j + k * vector::size;
        states.visit(k, vector(rate) * vector::load(minus_costs + at), vector::load(potentials + at));
      }
    return states.total();
  }
  /// The log of the sum of lane `lane` of register k.
  double lane(int k, int at) const {
    const double numbers[2] = {rows[k][0].lanes[at], rows[k][1].lanes[at]};
    return engine::log_sum_exp{}.result(numbers);
  }
  /// The log of the sum of all.
  double total() const {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (const auto& row : rows)
      for (int l = 0; l < vector::size; ++l) largest = std::max(largest, row[0].lanes[l]);
    for (const auto& row : rows)
      for (int l = 0; l < vector::size; ++l) sum += row[1].lanes[l] * std::exp(row[0].lanes[l] - largest);
    return largest + std::log(sum);
  }
};

/// A row's numbers do not depend on which rows are done beside it, so the bits are the same for any number of ranks. A sweep sends each
/// potential once to all; costs are kept where pair_costs keeps them, a rank's part of the rows of either side.
template <class Inner>
class pair_costs<engine::shared_rows<Inner>> {
  using shared = engine::shared_rows<Inner>;
  using vector = pack<double>;
  using problem = engine::bound_problem<double, host_memory, negative_cost>;
  static constexpr int registers = 4;

public:
  pair_costs(const shared& exec, const point_cloud& x, const point_cloud& y, const sinkhorn_scale& scale, workspace& scratch,
             const pair_costs* = nullptr)
      : exec_(exec), scratch_(scratch), power_(scale.power), keeps_(keeps_costs(x, y)) {
    prepare(forward_, x, y);
    if (&x != &y) prepare(backward_, y, x);
  }

  /// See pair_costs; always in double.
  void softmins(double epsilon, const double* f, const double* g, double* to_f, double* to_g) const {
    if (to_f != nullptr) softmin(forward_, epsilon, g, to_f);
    if (to_g != nullptr) softmin(other_side(), epsilon, f, to_g);
  }

  /// See pair_costs; of all rows, on all ranks.
  void pulls(double epsilon, const double* f, const double* g, double factor, const real_matrix& to_x, const real_matrix& to_y,
             write_mode mode) const {
    if (mode == write_mode::overwrite) {
      engine::clear(to_x);
      engine::clear(to_y);
    }
    if (to_x.data != nullptr) add_pulls_of(forward_, epsilon, f, g, factor, to_x);
    if (to_y.data != nullptr) add_pulls_of(other_side(), epsilon, g, f, factor, to_y);
  }

private:
  /// The rows of one cloud against those of the other.
  struct side {
    const point_cloud *rows = nullptr, *others = nullptr;
    std::optional<problem> whole; ///< bound on all rows
    index_t first = 0, count = 0; ///< this rank's part
    index_t stride = 0;
    real_matrix kept{}; ///< -C of that part
  };

  const side& other_side() const { return backward_.rows != nullptr ? backward_ : forward_; }
  /// A side's potentials over epsilon, plus the logs of the weights.
  double* exponents(const point_cloud& of, double epsilon, const double* potential) const {
    double* const to = scratch_.allocate<double>(of.size());
    for (index_t j = 0; j < of.size(); ++j) to[j] = potential[j] / epsilon + of.log_weights[j];
    return to;
  }
  void softmin(const side& of, double epsilon, const double* potential, double* to) const {
    const workspace_mark mark(scratch_);
    const index_t n = of.rows->size(), m = of.others->size();
    const double* const offset = exponents(*of.others, epsilon, potential);
    double* const own = to + of.first;
    if (of.count > 0 && keeps_)
      along_rows(of, 1 / epsilon, offset, own);
    else if (of.count > 0) {
      auto one = own_layer(of);
      one.profile.rate = 1 / epsilon;
      engine::row_states(exec_.inner(), engine::log_sum_exp{}, one, engine::pair_set::across, matrix_view<const double>(offset, m, 1),
                         matrix_view<double>(own, of.count, 1), scratch_);
    }
    for (index_t i = 0; i < of.count; ++i) own[i] *= -epsilon;
    exec_.complete(to, n, 1);
  }
  void add_pulls_of(const side& of, double epsilon, const double* f, const double* g, double factor, const real_matrix& to) const {
    const workspace_mark all(scratch_);
    const point_cloud& others = *of.others;
    const double *const own = exponents(*of.rows, epsilon, f), *const other = exponents(others, epsilon, g);
    const scratch_algebra work(exec_.inner(), scratch_);
    constexpr index_t block = 256;
    for (index_t done = 0; done < of.count; done += block) {
      const workspace_mark mark(scratch_);
      const index_t count = std::min(block, of.count - done), first = of.first + done;
      const real_matrix pulls = work.matrix(count, others.size());
      if (keeps_)
        for (index_t i = 0; i < count; ++i) std::copy_n(&of.kept(done + i, 0), others.size(), &pulls(i, 0));
      else
        entries_of(of, first, pulls);
      exec_.run(count, [&](index_t i, int) {
        double* const row = &pulls(i, 0);
        const double sum = factor * pull_weights{power_, 1 / epsilon}.of_row(row, own[first + i], other, others.size());
        for (index_t k = 0; k < to.cols; ++k) to(first + i, k) += sum * of.rows->points(first + i, k);
      });
      work.add_product(pulls, others.points, -factor, to.rows_from(first, count));
    }
    exec_.complete(to.data, to.rows, to.cols);
  }

  void prepare(side& one, const point_cloud& rows, const point_cloud& others) {
    one.rows = &rows;
    one.others = &others;
    one.first = exec_.first_row(rows.size());
    one.count = exec_.row_count(rows.size());
    one.whole.emplace(exec_.inner(), scratch_,
                      engine::layer_input<double, negative_cost>{
                          {sample<double>{rows.points}, sample<double>{others.points}}, negative_cost{power_}, {}, {}});
    one.stride = engine::round_up(others.size(), vector::size);
    if (!keeps_ || one.count == 0) return;
    const index_t entries = one.count * one.stride;
    one.kept = {scratch_.allocate_zero<double>(entries), one.count, others.size(), one.stride, 1};
    entries_of(one, one.first, one.kept);
  }

  /// The layer of some rows against all others, with what is known of the whole sample.
  static auto layer_of(const side& one, index_t first, index_t count) {
    auto layer = std::get<0>(one.whole->layers());
    layer.data.source.rows = layer.data.source.rows.rows_from(first, count);
    return layer;
  }
  static auto own_layer(const side& one) { return layer_of(one, one.first, one.count); }

  void entries_of(const side& one, index_t first, const real_matrix& to) const {
    const engine::matrix_request<double> request{true, {&to, 1}};
    engine::with_units(exec_.inner(), "sinkhorn_divergence", std::tuple{layer_of(one, first, to.rows)}, scratch_, [&](const auto& layers) {
      engine::kernel_entries(exec_.inner(), engine::matrix_visitor{}, std::get<0>(layers), request, scratch_);
    });
  }

  /// As pair_costs does it.
  void along_rows(const side& of, double rate, const double* offset, double* to) const {
    const workspace_mark mark(scratch_);
    double* const padded = scratch_.allocate<double>(of.stride);
    std::fill(std::copy_n(offset, of.others->size(), padded), padded + of.stride, -std::numeric_limits<double>::infinity());
    constexpr index_t rows = 8;
    exec_.run((of.count + rows - 1) / rows, [&](index_t task, int) {
      for (index_t i = task * rows; i < std::min(of.count, (task + 1) * rows); ++i)
        to[i] = exponent_states<registers>::of_row(&of.kept(i, 0), padded, of.stride, rate);
    });
  }

  const shared& exec_;
  workspace& scratch_;
  int power_;
  bool keeps_;
  side forward_, backward_;
};

} // namespace dalib::detail
