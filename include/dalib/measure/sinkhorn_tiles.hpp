/// @file
/// The costs between two weighted clouds of points in tiles: the marginals of a plan and its pulls on the points.
#pragma once

#include "dalib/core/workspace.hpp"
#include "dalib/engine/estimate.hpp"
#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/kernel/statistics.hpp"
#include "dalib/measure/scratch_algebra.hpp"
#include "dalib/simd/pack_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace dalib::detail {

/// Points measured from a common origin, with weights; memory of the scratch.
struct point_cloud {
  real_matrix points;
  double *weights, *log_weights;
  double largest_square; ///< no |x|^2 is larger

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

/// |x|^2 of rows that lie in one piece.
struct row_squares {
  double largest = 0, sum = 0;
};
/// In a register of sums: one alone would wait for each addition.
inline row_squares row_squares_of(const real_matrix& rows) {
  using vector = pack<double>;
  row_squares result;
  for (index_t i = 0; i < rows.rows; ++i) {
    const double* const row = &rows(i, 0);
    vector sum(0);
    index_t f = 0;
    for (; f + vector::size <= rows.cols; f += vector::size) {
      const vector own = vector::load(row + f);
      sum += own * own;
    }
    double square = sum.sum();
    for (; f < rows.cols; ++f) square += row[f] * row[f];
    result.largest = std::max(result.largest, square);
    result.sum += square;
  }
  return result;
}

/// Settings of cost_tiles.
struct tile_rule {
  int power;
  double unit; ///< a power of two, so that nothing is rounded: the points are taken in it
  bool keep;   ///< whether the costs are kept: n m numbers
};

/// The costs of two clouds in `Real`, tile by tile, each pair once whichever side asks; of a cloud with itself each unordered pair. With
/// P_ij = e^((f_i + g_j - C_ij) / epsilon), which is near 1 where the potentials are near their fixed point, one exponential of a pair
/// serves its row and its column, and no largest exponent is needed. Pairs of blocks meet in rounds in which no block is twice on one side:
/// the bits depend on the clouds alone. O(n m F) time, or O(n m) where the costs are kept, and O((n + m) F) memory besides these.
template <class Exec, class Real>
class cost_tiles {
  using vector = pack<Real>;
  using tiles_type = engine::detail::kept_tiles<engine::matrix_visitor, Real, negative_cost>;
  using problem_type = typename tiles_type::problem_type;
  using bound = engine::bound_problem<Real, host_memory, negative_cost>;

public:
  cost_tiles(const Exec& exec, const point_cloud& x, const point_cloud& y, const tile_rule& rule, workspace& scratch)
      : exec_(exec), scratch_(scratch), x_(x), y_(y), rule_(rule), bound_(exec, scratch, input()),
        problem_(visitor_, coefficients_, bound_.layers(), centres_, Real(1)), tiles_(problem_) {
    tiles_.prepare(exec, x.size(), 1, scratch);
    block_ = tiles_.block_rows();
    x_blocks_ = tiles_.own_blocks();
    y_blocks_ = tiles_.count() - x_blocks_;
    const index_t rows = tiles_.count() * block_;
    potentials_ = scratch.template allocate<Real>(rows);
    weights_ = scratch.template allocate_zero<Real>(rows);
    sums_ = scratch.template allocate<double>(summed_rows());
    const auto workers = static_cast<index_t>(exec.workers());
    worker_rows_ = scratch.template allocate<Real>(workers * block_);
    worker_tiles_ = scratch.template allocate<Real>(workers * block_ * block_);
    set_weights();
    if (!rule.keep) return;
    kept_ = scratch.template allocate<Real>((self() ? (x_blocks_ / 2 + 1) * x_blocks_ : x_blocks_ * y_blocks_) * block_ * block_);
    for_tiles([&](int worker, const pair_of_blocks& at) {
      std::copy_n(tiles_.evaluate(worker, at.lanes, at.columns)[0], tiles_.rows(at.columns).count * block_,
                  kept_ + at.place * block_ * block_);
    });
  }
  cost_tiles(const cost_tiles&) = delete;
  cost_tiles& operator=(const cost_tiles&) = delete;

  /// log sum_j b_j P_ij of every row i, log sum_i a_i P_ij of every column j (of a cloud with itself the former).
  /// @returns whether all sums were within the range of numbers
  bool log_marginals(double epsilon, const double* f, const double* g, double* rows, double* columns) {
    set_potentials(epsilon, f, g);
    std::fill_n(sums_, summed_rows(), 0.0);
    const Real rate = rate_of(epsilon);
    for_tiles([&](int worker, const pair_of_blocks& at) { add_sums(worker, at, rate); });
    bool in_range = true;
    const auto write = [&](index_t first, index_t count, double* to) {
      for (index_t i = 0; i < count; ++i) {
        double sum = sums_[first + i];
        if (self()) sum += sums_[x_blocks_ * block_ + i];
        in_range = in_range && sum > 1e-30 && sum < 1e30;
        if (to != nullptr) to[i] = std::log(sum);
      }
    };
    write(0, x_.size(), rows);
    if (!self()) write(x_blocks_ * block_, y_.size(), columns);
    return in_range;
  }

  /// Adds factor sum_j a_i b_j P_ij dC(x_i, y_j)/dx_i to every row of `to_x`, and the same for y; a side without data is not wanted.
  void add_pulls(double epsilon, const double* f, const double* g, double factor, const real_matrix& to_x, const real_matrix& to_y) {
    const workspace_mark mark(scratch_);
    set_potentials(epsilon, f, g);
    const index_t rows = summed_rows(), stride = tiles_.rows(0).stride;
    std::fill_n(sums_, rows, 0.0);
    pulls_ = scratch_.template allocate_zero<Real>(rows * stride);
    const wanted_sides wanted{to_x.data != nullptr, self() || to_y.data != nullptr};
    const Real rate = rate_of(epsilon);
    for_tiles([&](int worker, const pair_of_blocks& at) { pull(worker, at, rate, wanted); });
    const double scale = factor * (rule_.power == 2 ? rule_.unit : rule_.unit / epsilon);
    const auto write = [&](index_t first_block, const real_matrix& to, bool again) {
      if (to.data == nullptr) return;
      exec_.run((to.rows + block_ - 1) / block_, [&](index_t b, int) {
        const index_t block = first_block + b;
        const engine::packed_rows<Real>& own = tiles_.rows(again ? b : block);
        for (index_t i = 0; i < own.count; ++i)
          for (index_t c = 0; c < own.chunk_count(); ++c) {
            const index_t first = c * engine::chunk_features<Real>, count = std::min(own.chunk_width(c), to.cols - first);
            const Real *const point = own.chunk(i, c), *const pulled = pulls_ + (block * block_ + i) * stride + first;
            const double sum = sums_[block * block_ + i];
            for (index_t k = 0; k < count; ++k)
              to(b * block_ + i, first + k) += scale * (sum * static_cast<double>(point[k]) - static_cast<double>(pulled[k]));
          }
      });
    };
    write(0, to_x, false);
    if (self())
      write(x_blocks_, to_x, true);
    else
      write(x_blocks_, to_y, false);
  }

private:
  /// Two blocks of the joint sample, and where their sums go: the second one's rows may be those of the first again.
  struct pair_of_blocks {
    index_t lanes, columns, to_columns;
    index_t place; ///< of the tile among those kept
    bool both;     ///< not a block with itself
  };
  struct wanted_sides {
    bool lanes, columns;
  };

  bool self() const { return &x_ == &y_; }
  /// Of a cloud with itself, what columns receive has rows of its own.
  index_t summed_rows() const { return (self() ? 2 : 1) * tiles_.count() * block_; }
  Real rate_of(double epsilon) const { return static_cast<Real>((rule_.power == 2 ? rule_.unit * rule_.unit : rule_.unit) / epsilon); }

  engine::layer_input<Real, negative_cost> input() const {
    const matrix_view<Real> x = in_unit(x_);
    return {{sample<Real>{x}, sample<Real>{self() ? x.rows_from(0, 0) : in_unit(y_)}}, negative_cost{rule_.power}, {}, {}};
  }
  matrix_view<Real> in_unit(const point_cloud& of) const {
    const matrix_view<Real> to(scratch_.template allocate<Real>(of.size() * of.points.cols), of.size(), of.points.cols);
    const double factor = 1 / rule_.unit;
    for (index_t i = 0; i < to.rows; ++i) {
      const double* const from = &of.points(i, 0);
      Real* const row = &to(i, 0);
      for (index_t j = 0; j < to.cols; ++j) row[j] = static_cast<Real>(factor * from[j]);
    }
    return to;
  }

  void set_weights() {
    for (index_t i = 0; i < x_.size(); ++i) weights_[i] = static_cast<Real>(x_.weights[i]);
    for (index_t j = 0; !self() && j < y_.size(); ++j) weights_[x_blocks_ * block_ + j] = static_cast<Real>(y_.weights[j]);
  }
  void set_potentials(double epsilon, const double* f, const double* g) {
    std::fill_n(potentials_, tiles_.count() * block_, Real(-1e30)); // rows that there are not: P = 0
    for (index_t i = 0; i < x_.size(); ++i) potentials_[i] = static_cast<Real>(f[i] / epsilon);
    for (index_t j = 0; !self() && j < y_.size(); ++j) potentials_[x_blocks_ * block_ + j] = static_cast<Real>(g[j] / epsilon);
  }

  /// Calls use(worker, pair) for every pair of blocks, in rounds: a block with the one r places behind it.
  template <class Use>
  void for_tiles(const Use& use) const {
    if (self()) {
      const index_t n = x_blocks_;
      for (index_t r = 0; 2 * r <= n; ++r)
        exec_.run(2 * r == n && r > 0 ? r : n, [&](index_t b, int worker) {
          const index_t other = (b + r) % n;
          use(worker, pair_of_blocks{b, other, n + other, r * n + b, r > 0});
        });
      return;
    }
    const index_t n = std::max(x_blocks_, y_blocks_);
    for (index_t r = 0; r < n; ++r)
      exec_.run(n, [&](index_t b, int worker) {
        const index_t other = (b + r) % n;
        if (b >= x_blocks_ || other >= y_blocks_) return;
        use(worker, pair_of_blocks{b, x_blocks_ + other, x_blocks_ + other, b * y_blocks_ + other, true});
      });
  }
  const Real* tile(int worker, const pair_of_blocks& at) const {
    return kept_ != nullptr ? kept_ + at.place * block_ * block_ : tiles_.evaluate(worker, at.lanes, at.columns)[0];
  }

  /// Calls use(column, lane, log P, a of the lanes, b) for the pairs of a tile, registers of lanes at once, and adds what it returns up by
  /// rows and by columns.
  template <class Use>
  void add_up(const pair_of_blocks& at, int worker, const Real* minus_costs, Real rate, const Use& use) const {
    const index_t lanes = tiles_.rows(at.lanes).padded, columns = tiles_.rows(at.columns).count;
    const Real *const u = potentials_ + at.lanes * block_, *const a = weights_ + at.lanes * block_;
    const Real *const v = potentials_ + at.columns * block_, *const b = weights_ + at.columns * block_;
    Real* const rows = worker_rows_ + worker * block_;
    double *const to_rows = sums_ + at.lanes * block_, *const to_columns = sums_ + at.to_columns * block_;
    std::fill_n(rows, lanes, Real(0));
    const vector speed(rate);
    for (index_t c = 0; c < columns; ++c) {
      const vector own(v[c]), weight(b[c]);
      vector sum(0);
      for (index_t l = 0; l < lanes; l += vector::size) {
        const vector of_lanes = vector::load(a + l), minus_cost = speed * vector::load(minus_costs + c * block_ + l);
        const auto [to_row, to_column] = use(c, l, minus_cost, vector::load(u + l) + own, of_lanes, weight);
        (vector::load(rows + l) + to_row).store(rows + l);
        sum = sum + to_column;
      }
      if (at.both) to_columns[c] += static_cast<double>(sum.sum());
    }
    for (index_t l = 0; l < lanes; ++l) to_rows[l] += static_cast<double>(rows[l]);
  }
  struct row_and_column {
    vector row, column;
  };
  void add_sums(int worker, const pair_of_blocks& at, Real rate) const {
    add_up(at, worker, tile(worker, at), rate,
           [](index_t, index_t, const vector& minus_cost, const vector& potentials, const vector& a, const vector& b) {
             using std::exp;
             const vector share = exp(minus_cost + potentials);
             return row_and_column{b * share, a * share};
           });
  }

  /// A pull's target: rows of `pulls_`, added to.
  struct added_rows {
    Real* data;
    index_t stride;
    engine::result_tile<Real> tile(index_t own, index_t chunk) const {
      return {data + own * stride + chunk * engine::chunk_features<Real>, stride, true};
    }
  };
  void pull(int worker, const pair_of_blocks& at, Real rate, const wanted_sides& wanted) const {
    Real* const shares = worker_tiles_ + worker * block_ * block_;
    const bool squares = rule_.power == 2;
    add_up(at, worker, tile(worker, at), rate,
           [&](index_t c, index_t l, const vector& minus_cost, const vector& potentials, const vector& a, const vector& b) {
             using std::exp;
             vector share = a * b * exp(minus_cost + potentials);
             if (!squares) share = where_greater(-minus_cost, vector(0), share / -minus_cost, vector(0));
             share.store(shares + c * block_ + l);
             return row_and_column{share, share};
           });
    const engine::packed_rows<Real>&lanes = tiles_.rows(at.lanes), &columns = tiles_.rows(at.columns);
    std::fill(shares + columns.count * block_, shares + columns.padded * block_, Real(0));
    const index_t stride = lanes.stride;
    if (wanted.lanes)
      engine::pull_to_rows(shares, {1, block_}, lanes.padded, columns, {0, columns.padded},
                           added_rows{pulls_ + at.lanes * block_ * stride, stride});
    if (wanted.columns && at.both)
      engine::pull_to_rows(shares, {block_, 1}, columns.padded, lanes, {0, lanes.padded},
                           added_rows{pulls_ + at.to_columns * block_ * stride, stride});
  }

  const Exec& exec_;
  workspace& scratch_;
  const point_cloud &x_, &y_;
  tile_rule rule_;
  engine::matrix_visitor visitor_;
  engine::unit_coefficients coefficients_;
  typename problem_type::centres_array centres_{};
  bound bound_;
  problem_type problem_;
  tiles_type tiles_;
  index_t block_ = 0, x_blocks_ = 0, y_blocks_ = 0;
  Real *potentials_ = nullptr, *weights_ = nullptr; ///< of all blocks' rows; of rows that there are not, e^-1e30 and 0
  double* sums_ = nullptr;
  Real *worker_rows_ = nullptr, *worker_tiles_ = nullptr, *kept_ = nullptr, *pulls_ = nullptr;
};

} // namespace dalib::detail
