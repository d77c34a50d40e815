/// @file
/// The costs between two weighted clouds of points in tiles: the marginals of a plan and its pulls on the points.
#pragma once

#include "dalib/measure/sinkhorn_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace dalib::detail {

/// The costs of two clouds in `Real`, tile by tile, each pair once whichever side asks; of a cloud with itself each unordered pair. With
/// P_ij = e^((f_i + g_j - C_ij) / epsilon), which is near 1 where the potentials are near their fixed point, one exponential of a pair
/// serves its row and its column, and no largest exponent is needed. A plan that is kept serves further potentials of the same epsilon: its
/// rows and columns are multiplied by what these have changed by, until that is too much (Schmitzer 2019, section 3.1). Pairs of blocks
/// meet in rounds in which no block is twice on one side: the bits depend on the clouds alone. O(n m F) time, or O(n m) where the costs are
/// kept, and O((n + m) F) memory besides these.
template <class Exec, class Real>
class cost_tiles : cost_blocks<Exec, Real> {
  using base = cost_blocks<Exec, Real>;
  using base::exec_, base::scratch_, base::x_, base::y_, base::rule_, base::tiles_, base::block_, base::x_blocks_, base::y_blocks_,
      base::first_;
  using base::self, base::summed_rows, base::for_tiles;
  using typename base::pair_of_blocks;
  using vector = pack<Real>;

public:
  cost_tiles(const Exec& exec, const point_cloud& x, const point_cloud& y, const tile_rule& rule, workspace& scratch)
      : base(exec, x, y, rule, scratch) {
    prepare(rule.keep);
  }
  /// Of a cloud with itself, whose rows are already in the blocks of a pair of clouds. @param keep  whether costs and plan are kept
  cost_tiles(const point_cloud& x, const cost_tiles& pair, bool keep, workspace& scratch) : base(x, pair, scratch) { prepare(keep); }

  /// log sum_j b_j P_ij of every row i, log sum_i a_i P_ij of every column j (of a cloud with itself the former).
  /// @returns whether all sums were within the range of numbers
  bool log_marginals(double epsilon, const double* f, const double* g, double* rows, double* columns) {
    const auto write = [&](double most, bool scaled) {
      bool in_range = true;
      const auto of_side = [&](index_t first, index_t count, double* to) {
        for (index_t i = 0; i < count; ++i) {
          double sum = sums_[first + i];
          if (self()) sum += sums_[tiles_.count() * block_ + i];
          if (scaled) sum *= static_cast<double>(scales_[first + i]);
          in_range = in_range && sum * most > 1 && sum < most;
          if (to != nullptr) to[i] = std::log(sum);
        }
      };
      of_side(first_ * block_, x_.size(), rows);
      if (!self()) of_side(x_blocks_ * block_, y_.size(), columns);
      return in_range;
    };
    set_potentials(epsilon, f, g);
    std::fill_n(sums_, summed_rows(), 0.0);
    if (scale_plan(epsilon)) {
      for_tiles([&](int worker, const pair_of_blocks& at) { add_plan(worker, at); });
      if (write(1e10, true)) return true; // beyond, what has been flushed to 0 may count
      std::fill_n(sums_, summed_rows(), 0.0);
    }
    const Real rate = rate_of(epsilon);
    for_tiles([&](int worker, const pair_of_blocks& at) { add_sums(worker, at, rate); });
    if (plan_ != nullptr) std::copy_n(potentials_, tiles_.count() * block_, references_);
    plan_epsilon_ = epsilon;
    return write(1e30, false);
  }

  /// Writes factor sum_j a_i b_j P_ij dC(x_i, y_j)/dx_i to every row of `to_x`, or adds it, and the same for y; a side without data is not
  /// wanted.
  void pulls(double epsilon, const double* f, const double* g, double factor, const real_matrix& to_x, const real_matrix& to_y,
             write_mode mode) {
    const workspace_mark mark(scratch_);
    set_potentials(epsilon, f, g);
    const index_t rows = summed_rows(), stride = tiles_.rows(0).stride;
    std::fill_n(sums_, rows, 0.0);
    pulls_ = scratch_.template allocate<Real>(rows * stride);
    pulled_ = scratch_.template allocate_zero<unsigned char>(rows / block_);
    const pull_rule rule{rate_of(epsilon), scale_plan(epsilon), to_x.data != nullptr, self() || to_y.data != nullptr};
    for_tiles([&](int worker, const pair_of_blocks& at) { pull(worker, at, rule); });
    const double scale = factor * (rule_.power == 2 ? rule_.unit : rule_.unit / epsilon);
    const auto write = [&](index_t first_block, const real_matrix& to, bool again) {
      if (to.data == nullptr) return;
      exec_.run((to.rows + block_ - 1) / block_, [&](index_t b, int) {
        const index_t block = first_block + b;
        const bool add = again || mode == write_mode::accumulate;
        if (pulled_[block] == 0 && add) return;
        const engine::packed_rows<Real>& own = tiles_.rows(again ? first_ + b : block);
        for (index_t i = 0; i < own.count; ++i)
          for (index_t c = 0; c < own.chunk_count(); ++c) {
            const index_t first = c * engine::chunk_features<Real>, count = std::min(own.chunk_width(c), to.cols - first);
            const Real *const point = own.chunk(i, c), *const pulled = pulls_ + (block * block_ + i) * stride + first;
            const double sum = sums_[block * block_ + i];
            double* const out = &to(b * block_ + i, first);
            const auto pull = [&](index_t k) { return scale * (sum * static_cast<double>(point[k]) - static_cast<double>(pulled[k])); };
            if (pulled_[block] == 0)
              std::fill_n(out, count, 0.0);
            else if (add)
              for (index_t k = 0; k < count; ++k) out[k] += pull(k);
            else
              for (index_t k = 0; k < count; ++k) out[k] = pull(k);
          }
      });
    };
    write(first_, to_x, false);
    if (self())
      write(tiles_.count(), to_x, true);
    else
      write(x_blocks_, to_y, false);
  }

private:
  struct pull_rule {
    Real rate;
    bool by_plan;        ///< which is scaled
    bool lanes, columns; ///< whose pulls are wanted
  };

  /// Whether tiles hold inner products in place of minus the costs, and the potentials the rows' halves of these: float is chosen where
  /// rounding norms is below the tolerance, so close pairs need no more care. In double the tolerance may be below that.
  bool by_products() const { return std::is_same_v<Real, float> && rule_.power == 2; }
  Real rate_of(double epsilon) const { return static_cast<Real>((rule_.power == 2 ? rule_.unit * rule_.unit : rule_.unit) / epsilon); }

  void prepare(bool keep) {
    const index_t rows = tiles_.count() * block_;
    potentials_ = scratch_.template allocate<Real>(rows);
    weights_ = scratch_.template allocate_zero<Real>(rows);
    sums_ = scratch_.template allocate<double>(summed_rows());
    const auto workers = static_cast<index_t>(exec_.workers());
    worker_rows_ = scratch_.template allocate<Real>(workers * 2 * block_);
    worker_tiles_ = scratch_.template allocate<Real>(workers * block_ * block_);
    set_weights();
    if (!keep) return;
    const index_t numbers = (self() ? (x_blocks_ / 2 + 1) * x_blocks_ : x_blocks_ * y_blocks_) * block_ * block_;
    kept_ = scratch_.template allocate<Real>(numbers);
    plan_ = scratch_.template allocate<Real>(numbers);
    references_ = scratch_.template allocate<Real>(rows);
    scales_ = scratch_.template allocate<Real>(rows);
    scaled_weights_ = scratch_.template allocate<Real>(rows);
    for_tiles([&](int worker, const pair_of_blocks& at) {
      Real* const to = kept_ + at.place * block_ * block_;
      by_products() ? tiles_.products_to(to, at.lanes, at.columns) : tiles_.evaluate_to(&to, worker, at.lanes, at.columns);
    });
  }

  void set_weights() {
    for (index_t i = 0; i < x_.size(); ++i) weights_[first_ * block_ + i] = static_cast<Real>(x_.weights[i]);
    for (index_t j = 0; !self() && j < y_.size(); ++j) weights_[x_blocks_ * block_ + j] = static_cast<Real>(y_.weights[j]);
  }
  void set_potentials(double epsilon, const double* f, const double* g) {
    std::fill_n(potentials_, tiles_.count() * block_, Real(-1e30)); // rows that there are not: P = 0
    const double share = by_products() ? 0.5 * rule_.unit * rule_.unit : 0;
    const auto fill = [&](index_t first_block, index_t count, const double* potential) {
      for (index_t i = 0; i < count; ++i)
        potentials_[first_block * block_ + i] = static_cast<Real>(
            (potential[i] - share * static_cast<double>(tiles_.rows(first_block + i / block_).norm[i % block_])) / epsilon);
    };
    fill(first_, x_.size(), f);
    if (!self()) fill(x_blocks_, y_.size(), g);
  }

  /// Finds what the kept plan's rows and columns are multiplied by; false if there is no plan near enough.
  bool scale_plan(double epsilon) {
    if (plan_ == nullptr || plan_epsilon_ != epsilon) return false;
    const vector furthest(8); // so that nothing that was flushed to 0 would count
    for (index_t i = 0; i < tiles_.count() * block_; i += vector::size) {
      using std::exp;
      const vector change = vector::load(potentials_ + i) - vector::load(references_ + i);
      if ((furthest - abs(change)).smallest() < 0) return false;
      const vector scale = exp(change);
      scale.store(scales_ + i);
      (scale * vector::load(weights_ + i)).store(scaled_weights_ + i);
    }
    return true;
  }

  const Real* tile(int worker, const pair_of_blocks& at) const {
    if (kept_ != nullptr) return kept_ + at.place * block_ * block_;
    return by_products() ? tiles_.products(worker, at.lanes, at.columns) : tiles_.evaluate(worker, at.lanes, at.columns)[0];
  }

  /// Adds the exponentials of a tile up by rows and by columns.
  void add_sums(int worker, const pair_of_blocks& at, Real rate) const {
    const Real *const u = potentials_ + at.lanes * block_, *const v = potentials_ + at.columns * block_,
                      *const minus_costs = tile(worker, at);
    Real* const plan = plan_ != nullptr ? plan_ + at.place * block_ * block_ : worker_tiles_ + worker * block_ * block_;
    const vector speed(rate);
    add_tile(worker, at, weights_, [&](index_t c, index_t l) {
      using std::exp;
      const vector share = exp(speed * vector::load(minus_costs + c * block_ + l) + (vector::load(u + l) + vector(v[c])));
      share.store(plan + c * block_ + l);
      return share;
    });
  }
  /// The same of a plan that is kept; all of a row's sum lacks its scale, and so of a column's.
  void add_plan(int worker, const pair_of_blocks& at) const {
    const Real* const plan = plan_ + at.place * block_ * block_;
    add_tile(worker, at, scaled_weights_, [&](index_t c, index_t l) { return vector::load(plan + c * block_ + l); });
  }
  /// Adds the shares of a tile's pairs up, a register of lanes of a column at once.
  template <class ShareOf>
  void add_tile(int worker, const pair_of_blocks& at, const Real* weights, const ShareOf& share_of) const {
    const index_t lanes = tiles_.rows(at.lanes).padded, columns = tiles_.rows(at.columns).count;
    const Real *const a = weights + at.lanes * block_, *const b = weights + at.columns * block_;
    Real* const rows = worker_rows_ + 2 * worker * block_;
    double *const to_rows = sums_ + at.lanes * block_, *const to_columns = sums_ + at.to_columns * block_;
    std::fill_n(rows, lanes, Real(0));
    for (index_t c = 0; c < columns; ++c) {
      const vector weight(b[c]);
      vector sum(0);
      for (index_t l = 0; l < lanes; l += vector::size) {
        const vector share = share_of(c, l);
        (vector::load(rows + l) + weight * share).store(rows + l);
        sum += vector::load(a + l) * share;
      }
      if (at.both) to_columns[c] += static_cast<double>(sum.sum());
    }
    for (index_t l = 0; l < lanes; ++l) to_rows[l] += static_cast<double>(rows[l]);
  }

  /// A pull's target: a block of `pulls_`, whose first one writes and whose others add.
  struct pulled_rows {
    Real* data;
    index_t stride;
    bool add;
    engine::result_tile<Real> tile(index_t own, index_t chunk) const {
      return {data + own * stride + chunk * engine::chunk_features<Real>, stride, add};
    }
  };
  pulled_rows target_of(index_t block, index_t stride) const {
    return {pulls_ + block * block_ * stride, stride, std::exchange(pulled_[block], static_cast<unsigned char>(1)) != 0};
  }
  /// A row's own pair pulls nothing and is left out, and a tile of shares that are small in all of its rows and columns is too: all that
  /// are left out of a row are less than a quarter of the tolerance.
  void pull(int worker, const pair_of_blocks& at, const pull_rule& wanted) const {
    Real* const shares = worker_tiles_ + worker * block_ * block_;
    const engine::packed_rows<Real>&lanes = tiles_.rows(at.lanes), &columns = tiles_.rows(at.columns);
    if (!find_shares(worker, at, wanted, shares)) return;
    std::fill(shares + columns.count * block_, shares + columns.padded * block_, Real(0));
    const index_t stride = lanes.stride;
    if (wanted.lanes) engine::pull_to_rows(shares, {1, block_}, lanes.padded, columns, {0, columns.padded}, target_of(at.lanes, stride));
    if (wanted.columns && at.both)
      engine::pull_to_rows(shares, {block_, 1}, columns.padded, lanes, {0, lanes.padded}, target_of(at.to_columns, stride));
  }

  bool find_shares(int worker, const pair_of_blocks& at, const pull_rule& wanted, Real* shares) const {
    const index_t lanes = tiles_.rows(at.lanes).padded, columns = tiles_.rows(at.columns).count, place = at.place * block_ * block_;
    const bool squares = rule_.power == 2, itself = self() && !at.both;
    const Real *const weights = wanted.by_plan ? scaled_weights_ : weights_, *const plan = wanted.by_plan ? plan_ + place : nullptr;
    const Real* const minus_costs = plan != nullptr && squares ? plan : tile(worker, at);
    const Real *const u = potentials_ + at.lanes * block_, *const v = potentials_ + at.columns * block_;
    const Real *const a = weights + at.lanes * block_, *const b = weights + at.columns * block_;
    Real *const rows = worker_rows_ + 2 * worker * block_, *const sums = rows + block_;
    const vector rate(wanted.rate);
    std::fill_n(rows, lanes, Real(0));
    for (index_t c = 0; c < columns; ++c) {
      const vector own(v[c]), weight(b[c]);
      vector sum(0);
      for (index_t l = 0; l < lanes; l += vector::size) {
        using std::exp;
        const vector minus_cost = rate * vector::load(minus_costs + c * block_ + l);
        const vector kept = plan != nullptr ? vector::load(plan + c * block_ + l) : exp(minus_cost + vector::load(u + l) + own);
        vector share = weight * vector::load(a + l) * kept;
        if (!squares) share = where_greater(-minus_cost, vector(0), share / -minus_cost, vector(0));
        if (itself && c >= l && c < l + vector::size) share.lanes[c - l] = 0;
        share.store(shares + c * block_ + l);
        (vector::load(rows + l) + share).store(rows + l);
        sum += share;
      }
      sums[c] = sum.sum();
    }
    const Real limit = static_cast<Real>(rule_.tolerance / static_cast<double>(4 * tiles_.count()));
    const auto small = [&](index_t block, index_t count, const Real* of) {
      for (index_t i = 0; i < count; ++i)
        if (of[i] > limit * weights_[block * block_ + i]) return false;
      return true;
    };
    if (squares && small(at.lanes, lanes, rows) && small(at.columns, columns, sums)) return false;
    for (index_t l = 0; l < lanes; ++l) sums_[at.lanes * block_ + l] += static_cast<double>(rows[l]);
    for (index_t c = 0; at.both && c < columns; ++c) sums_[at.to_columns * block_ + c] += static_cast<double>(sums[c]);
    return true;
  }

  Real *potentials_ = nullptr, *weights_ = nullptr; ///< of all blocks' rows; of rows that there are not, e^-1e30 and 0
  double* sums_ = nullptr;
  Real *worker_rows_ = nullptr, *worker_tiles_ = nullptr, *kept_ = nullptr, *pulls_ = nullptr;
  unsigned char* pulled_ = nullptr; ///< whether a block of `pulls_` has been written
  Real* plan_ = nullptr;            ///< P as the last exponentials found it
  double plan_epsilon_ = 0;
  Real *references_ = nullptr, *scales_ = nullptr, *scaled_weights_ = nullptr; ///< the plan's potentials; what it is multiplied by now
};

} // namespace dalib::detail
