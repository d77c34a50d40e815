/// @file
/// The costs between two weighted clouds of points, and what entropic transport reads of them: soft minima and pulls on the points.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/engine/row_states.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/measure/scratch_algebra.hpp"
#include "dalib/simd/pack_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace dalib::detail {

/// Points measured from a common origin, with weights; memory of the scratch.
struct point_cloud {
  real_matrix points;
  double *weights, *log_weights;

  index_t size() const { return points.rows; }
  double mass() const { return std::accumulate(weights, weights + size(), 0.0); }
};

/// Minus the cost, |x - y|^2 / 2 or |x - y|, as a kernel for the engine's tiles.
struct negative_cost {
  using statistic = squared_distance;
  int power = 2;
  double rate = 1; ///< 1 / epsilon

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::sqrt;
    if (power == 2) return {T(-0.5 * rate) * s, T(-0.5 * rate)};
    const T distance = sqrt(s);
    return {T(-rate) * distance, T(-0.5 * rate) / distance};
  }
  template <class Data>
  negative_cost bind(const Data&) const {
    return *this;
  }
  negative_cost with_unit(double squared_unit) const { return {power, rate * (power == 2 ? squared_unit : std::sqrt(squared_unit))}; }
};

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

/// The costs between two clouds: kept where they take no more memory than a few times the points, and otherwise found anew by the engine's
/// tiles each time they are read, in O(n F) memory.
template <class Exec>
class pair_costs {
public:
  pair_costs(const Exec& exec, const point_cloud& x, const point_cloud& y, int power, workspace& scratch)
      : exec_(exec), scratch_(scratch), x_(x), y_(y), power_(power), forward_(exec, scratch, input(x.points, y.points)) {
    const index_t entries = x.size() * y.size();
    if (entries > std::max<index_t>(index_t{1} << 20, 2 * (x.size() + y.size()) * x.points.cols)) {
      backward_.emplace(exec, scratch, input(y.points, x.points));
      return;
    }
    stride_ = engine::round_up(y.size(), vector::size);
    kept_ = {scratch.template allocate_zero<double>(x.size() * stride_), x.size(), y.size(), stride_, 1};
    entries_of(forward_, kept_);
  }

  /// to_i = -epsilon log sum_j e^(offset_j - C_ij / epsilon) for every row i of one side; `transposed`: rows are the target's.
  void softmin(bool transposed, double epsilon, const double* offset, double* to) const {
    const index_t n = transposed ? y_.size() : x_.size(), m = transposed ? x_.size() : y_.size();
    if (kept_.data == nullptr) {
      auto one = std::get<0>((transposed ? *backward_ : forward_).layers());
      one.profile.rate = 1 / epsilon;
      engine::row_states(exec_, engine::log_sum_exp{}, one, engine::pair_set::across, matrix_view<const double>(offset, m, 1),
                         matrix_view<double>(to, n, 1), scratch_);
    } else if (transposed) {
      along_columns(1 / epsilon, offset, to);
    } else {
      along_rows(1 / epsilon, offset, to);
    }
    for (index_t i = 0; i < n; ++i) to[i] *= -epsilon;
  }

  /// Adds factor sum_j P_ij dC(x_i, y_j)/dx_i to every row of `to`, P_ij = e^(own_i + other_j - C_ij / epsilon); `transposed`: for y.
  void add_pulls(bool transposed, double epsilon, const double* own, const double* other, double factor, const real_matrix& to) const {
    const point_cloud &rows = transposed ? y_ : x_, &others = transposed ? x_ : y_;
    const scratch_algebra work(exec_, scratch_);
    constexpr index_t block = 256;
    for (index_t first = 0; first < rows.size(); first += block) {
      const workspace_mark mark(scratch_);
      const index_t count = std::min(block, rows.size() - first);
      const real_matrix pulls = exponents(transposed, first, count);
      exec_.run(count, [&](index_t i, int) {
        double* const row = &pulls(i, 0);
        const double sum = factor * pull_weights{power_, 1 / epsilon}.of_row(row, own[first + i], other, others.size());
        for (index_t f = 0; f < to.cols; ++f) to(first + i, f) += sum * rows.points(first + i, f);
      });
      work.add_product(pulls, others.points, -factor, to.rows_from(first, count));
    }
  }

private:
  using vector = pack<double>;
  static constexpr int registers = 4;
  static constexpr index_t step = registers * vector::size;
  using problem = engine::bound_problem<double, host_memory, negative_cost>;

  /// What a pair's difference is multiplied by: the plan's share, over the distance for power 1, where rows that coincide pull nothing.
  engine::layer_input<double, negative_cost> input(const real_matrix& own, const real_matrix& other) const {
    return {{sample<double>{own}, sample<double>{other}}, negative_cost{power_}, {}, {}};
  }
  void entries_of(const problem& of, const real_matrix& to) const {
    const engine::matrix_request<double> request{true, {&to, 1}};
    engine::with_units(exec_, "sinkhorn_divergence", of.layers(), scratch_, [&](const auto& layers) {
      backend<host_memory>::kernel_entries(exec_, engine::matrix_visitor{}, std::get<0>(layers), request, scratch_);
    });
  }
  /// -C of some rows of one side, in memory of its own.
  real_matrix exponents(bool transposed, index_t first, index_t count) const {
    const scratch_algebra work(exec_, scratch_);
    if (kept_.data != nullptr) {
      const real_matrix all = transposed ? kept_.transposed() : kept_;
      return work.filled(count, all.cols, [&](index_t i, index_t j) { return all(first + i, j); });
    }
    const point_cloud &rows = transposed ? y_ : x_, &others = transposed ? x_ : y_;
    const real_matrix to = work.matrix(count, others.size());
    const problem part(exec_, scratch_, input(rows.points.rows_from(first, count), others.points));
    entries_of(part, to);
    return to;
  }

  /// A task for a few rows; registers run along them. Behind a row's end lie finite numbers, which offsets of minus infinity hide.
  void along_rows(double rate, const double* offset, double* to) const {
    const workspace_mark mark(scratch_);
    double* const padded = scratch_.template allocate<double>(stride_);
    std::fill(std::copy_n(offset, y_.size(), padded), padded + stride_, -std::numeric_limits<double>::infinity());
    constexpr index_t rows = 8;
    exec_.run((x_.size() + rows - 1) / rows, [&](index_t task, int) {
      for (index_t i = task * rows; i < std::min(x_.size(), (task + 1) * rows); ++i)
        to[i] = exponent_states<registers>::of_row(&kept_(i, 0), padded, stride_, rate);
    });
  }
  /// A task for a few columns, each lane one of them.
  void along_columns(double rate, const double* offset, double* to) const {
    exec_.run((stride_ + step - 1) / step, [&](index_t task, int) {
      const index_t first = task * step, width = std::min(step, stride_ - first);
      exponent_states<registers> states;
      for (index_t i = 0; i < x_.size(); ++i)
        for (int k = 0; k * vector::size < width; ++k)
          states.visit(k, vector(rate) * vector::load(&kept_(i, first + k * vector::size)), vector(offset[i]));
      for (index_t j = 0; j < std::min(width, y_.size() - first); ++j)
        to[first + j] = states.lane(static_cast<int>(j) / vector::size, static_cast<int>(j) % vector::size);
    });
  }

  const Exec& exec_;
  workspace& scratch_;
  const point_cloud &x_, &y_;
  int power_;
  problem forward_;
  std::optional<problem> backward_; ///< the target's rows first; where costs are not kept
  index_t stride_ = 0;
  real_matrix kept_; ///< -C, its rows padded to whole registers; none: too many
};

} // namespace dalib::detail
