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

/// A row's numbers do not depend on which rows are done beside it, so the bits are the same for any number of ranks. A sweep sends each
/// potential once to all; costs are kept where pair_costs keeps them, a rank's part of the rows of either side.
template <class Inner>
class pair_costs<engine::shared_rows<Inner>> {
  using shared = engine::shared_rows<Inner>;
  using vector = pack<double>;
  using problem = engine::bound_problem<double, host_memory, negative_cost>;
  static constexpr int registers = 4;

public:
  pair_costs(const shared& exec, const point_cloud& x, const point_cloud& y, int power, workspace& scratch)
      : exec_(exec), scratch_(scratch), power_(power),
        keeps_(x.size() * y.size() <= std::max<index_t>(index_t{1} << 20, 2 * (x.size() + y.size()) * x.points.cols)) {
    prepare(forward_, x, y);
    if (&x != &y) prepare(backward_, y, x);
  }

  /// See pair_costs.
  void softmin(bool transposed, double epsilon, const double* offset, double* to) const {
    const side& of = transposed ? backward_ : forward_;
    const index_t n = of.rows->size(), m = of.others->size();
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

  /// See pair_costs; of all rows, on all ranks.
  void add_pulls(bool transposed, double epsilon, const double* own, const double* other, double factor, const real_matrix& to) const {
    const side& of = transposed ? backward_ : forward_;
    const point_cloud& others = *of.others;
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
        for (index_t f = 0; f < to.cols; ++f) to(first + i, f) += sum * of.rows->points(first + i, f);
      });
      work.add_product(pulls, others.points, -factor, to.rows_from(first, count));
    }
    exec_.complete(to.data, to.rows, to.cols);
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
