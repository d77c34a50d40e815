/// @file
/// The pairs of blocks of two clouds, and the tile of costs of each.
#pragma once

#include "dalib/engine/estimate.hpp"
#include "dalib/engine/host/kept_tiles.hpp"
#include "dalib/measure/sinkhorn_cloud.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace dalib::detail {

/// Settings of cost_tiles.
struct tile_rule {
  int power;
  double unit;      ///< a power of two, so that nothing is rounded: the points are taken in it
  bool keep;        ///< whether the costs, and the plan of the last exponentials, are kept: n m numbers each
  double tolerance; ///< of the potentials in units of epsilon: what of a row's mass counts
};

/// The rows of two clouds in blocks, or of one, whose unordered pairs are visited. Pairs of blocks meet in rounds in which no block is
/// twice on one side, so that each round's may write to their sides' sums at once.
template <class Exec, class Real>
class cost_blocks {
  using tiles_type = engine::detail::kept_tiles<engine::matrix_visitor, Real, negative_cost>;
  using problem_type = typename tiles_type::problem_type;
  using bound = engine::bound_problem<Real, host_memory, negative_cost>;

public:
  cost_blocks(const cost_blocks&) = delete;
  cost_blocks& operator=(const cost_blocks&) = delete;

protected:
  cost_blocks(const Exec& exec, const point_cloud& x, const point_cloud& y, const tile_rule& rule, workspace& scratch)
      : exec_(exec), scratch_(scratch), x_(x), y_(y), rule_(rule), own_(std::in_place, exec, scratch, input(), x.size()),
        tiles_(own_->tiles), block_(tiles_.block_rows()), x_blocks_(tiles_.own_blocks()), y_blocks_(tiles_.count() - x_blocks_) {}

  /// One cloud with itself, in the blocks that it has as a side of a pair of clouds.
  cost_blocks(const point_cloud& x, const cost_blocks& pair, workspace& scratch)
      : exec_(pair.exec_), scratch_(scratch), x_(x), y_(x), rule_(pair.rule_), tiles_(pair.tiles_), block_(pair.block_),
        x_blocks_(&x == &pair.x_ ? pair.x_blocks_ : pair.y_blocks_), first_(&x == &pair.x_ ? 0 : pair.x_blocks_) {}

  /// Two blocks of the joint sample, and where their sums go: the second one's rows may be those of the first again.
  struct pair_of_blocks {
    index_t lanes, columns, to_columns; ///< that of a cloud with itself lies behind all blocks
    index_t place;                      ///< of the tile among those kept
    bool both;                          ///< not a block with itself
  };

  bool self() const { return &x_ == &y_; }
  /// Of a cloud with itself, what columns receive has rows of its own.
  index_t summed_rows() const { return (tiles_.count() + (self() ? x_blocks_ : 0)) * block_; }

  /// Calls use(worker, pair) for every pair of blocks, in rounds: a block with the one r places behind it.
  template <class Use>
  void for_tiles(const Use& use) const {
    if (self()) {
      const index_t n = x_blocks_;
      for (index_t r = 0; 2 * r <= n; ++r)
        exec_.run(2 * r == n && r > 0 ? r : n, [&](index_t b, int worker) {
          const index_t other = (b + r) % n;
          use(worker, pair_of_blocks{first_ + b, first_ + other, tiles_.count() + other, r * n + b, r > 0});
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

private:
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

protected:
  const Exec& exec_;
  workspace& scratch_;
  const point_cloud &x_, &y_;
  tile_rule rule_;

private:
  /// The rows in blocks, and what they refer to.
  struct packed {
    engine::matrix_visitor visitor;
    engine::unit_coefficients coefficients;
    typename problem_type::centres_array centres{};
    bound rows;
    problem_type problem;
    tiles_type tiles;

    packed(const Exec& exec, workspace& scratch, const engine::layer_input<Real, negative_cost>& input, index_t owns)
        : rows(exec, scratch, input), problem(visitor, coefficients, rows.layers(), centres, Real(1)), tiles(problem) {
      tiles.prepare(exec, owns, 1, scratch);
    }
  };
  std::optional<packed> own_;

protected:
  const tiles_type& tiles_;
  index_t block_, x_blocks_, y_blocks_ = 0;
  index_t first_ = 0; ///< block of a cloud with itself
};

} // namespace dalib::detail
