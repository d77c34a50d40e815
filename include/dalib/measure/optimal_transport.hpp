/// @file
/// Exact optimal transport between two samples: the plan, the potentials, and the cost as a measure.
#pragma once

#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace dalib {

/// An optimal coupling of two weighted samples.
///
/// @code{.cpp}
/// const Eigen::MatrixXd costs = (Eigen::MatrixXd(2, 2) << 0, 1, 1, 0).finished();
/// const transport_plan best = optimal_plan(costs);
/// assert(best.cost == 0 && best.plan == (std::vector<double>{0.5, 0, 0, 0.5}));
/// @endcode
struct transport_plan {
  std::vector<double> plan;              ///< (n, m) row by row; rows and columns have the weights' sums, in all 1
  std::vector<double> source_potentials; ///< u_i + v_j <= c_ij, equal where the plan is not 0
  std::vector<double> target_potentials;
  double cost;
};

namespace detail {

/// Successive shortest paths on the bipartite graph with potentials: every source's mass goes to sinks along paths of least reduced cost.
/// Costs (n, m), supply and demand are the caller's, who loses the latter two; everything else is drawn from the scratch.
class transport_solver {
public:
  transport_solver(const matrix_view<const double>& costs, double* supply, double* demand, workspace& scratch)
      : n_(costs.rows), m_(costs.cols), costs_(costs), supply_(supply), demand_(demand),
        flow_(scratch.template allocate_zero<double>(n_ * m_), n_, m_), u_(scratch.template allocate<double>(n_)),
        v_(scratch.template allocate_zero<double>(m_)), sink_distance_(scratch.template allocate<double>(m_)),
        source_distance_(scratch.template allocate<double>(n_)), from_source_(scratch.template allocate<index_t>(m_)),
        from_sink_(scratch.template allocate<index_t>(n_)), done_(scratch.template allocate<char>(m_)) {
    for (index_t i = 0; i < n_; ++i) u_[i] = *std::min_element(&costs_(i, 0), &costs_(i, 0) + m_);
  }

  /// The cost of the optimal plan.
  double solve() {
    for (index_t i = 0; i < n_; ++i)
      while (supply_[i] > dust && augment(i)) {
      }
    double cost = 0;
    for (index_t k = 0; k < n_ * m_; ++k) cost += flow_.data[k] > 0 ? flow_.data[k] * costs_.data[k] : 0;
    return cost;
  }
  matrix_view<const double> plan() const { return flow_; }
  /// Everything, in memory of its own.
  transport_plan result(double cost) const { return {{flow_.data, flow_.data + n_ * m_}, {u_, u_ + n_}, {v_, v_ + m_}, cost}; }

private:
  static constexpr double dust = 1e-15; ///< of a total mass of 1: rounding
  static constexpr index_t none = -1;

  double reduced(index_t i, index_t j) const { return std::max(0.0, costs_(i, j) - u_[i] - v_[j]); }

  /// A source that is reached: sinks may be nearer through it.
  void relax(index_t i, double distance) {
    source_distance_[i] = distance;
    for (index_t j = 0; j < m_; ++j) {
      if (done_[j]) continue;
      const double through = distance + reduced(i, j);
      if (through < sink_distance_[j]) {
        sink_distance_[j] = through;
        from_source_[j] = i;
      }
    }
  }

  /// Sends mass from source i along one shortest path; false if no sink has room, up to rounding.
  bool augment(index_t start) {
    std::fill_n(sink_distance_, m_, std::numeric_limits<double>::infinity());
    std::fill_n(source_distance_, n_, -1.0);
    std::fill_n(done_, m_, char{0});
    relax(start, 0);
    index_t end = none;
    for (index_t step = 0; step < m_ && end == none; ++step) {
      index_t nearest = none;
      for (index_t j = 0; j < m_; ++j)
        if (!done_[j] && (nearest == none || sink_distance_[j] < sink_distance_[nearest])) nearest = j;
      done_[nearest] = 1;
      if (demand_[nearest] > dust)
        end = nearest;
      else
        for (index_t i = 0; i < n_; ++i)
          if (flow_(i, nearest) > 0 && source_distance_[i] < 0) {
            from_sink_[i] = nearest;
            relax(i, sink_distance_[nearest]);
          }
    }
    if (end == none) return false;
    const double length = sink_distance_[end];
    for (index_t i = 0; i < n_; ++i)
      if (source_distance_[i] >= 0) u_[i] += length - std::min(length, source_distance_[i]);
    for (index_t j = 0; j < m_; ++j)
      if (done_[j]) v_[j] -= length - std::min(length, sink_distance_[j]);
    move_mass(start, end);
    return true;
  }

  void move_mass(index_t start, index_t end) {
    double mass = std::min(supply_[start], demand_[end]);
    for (index_t i = from_source_[end]; i != start; i = from_source_[from_sink_[i]]) mass = std::min(mass, flow_(i, from_sink_[i]));
    supply_[start] -= mass;
    demand_[end] -= mass;
    for (index_t j = end;;) {
      const index_t i = from_source_[j];
      flow_(i, j) += mass;
      if (i == start) return;
      j = from_sink_[i];
      double& back = flow_(i, j);
      back = back - mass > dust ? back - mass : 0;
    }
  }

  index_t n_, m_;
  matrix_view<const double> costs_;
  double *supply_, *demand_;
  matrix_view<double> flow_;
  double *u_, *v_, *sink_distance_, *source_distance_;
  index_t *from_source_, *from_sink_; ///< where the shortest path to a sink, or a source, comes from
  char* done_;
};

/// Weights with sum 1, in scratch memory; uniform if there are none.
template <class T>
double* shares_of(const T* weights, index_t count, workspace& scratch) {
  double* const shares = scratch.template allocate<double>(count);
  for (index_t i = 0; i < count; ++i) shares[i] = weights == nullptr ? 1 : static_cast<double>(weights[i]);
  const double total = std::accumulate(shares, shares + count, 0.0);
  for (index_t i = 0; i < count; ++i) shares[i] /= total;
  return shares;
}
/// The same of a span, after a check.
inline double* shares_of(std::span<const double> weights, index_t count, workspace& scratch) {
  if (!weights.empty()) require_weights(matrix_view<const double>(nullptr, count, 1), weights.data(), static_cast<index_t>(weights.size()));
  return shares_of(weights.empty() ? nullptr : weights.data(), count, scratch);
}

} // namespace detail

/// The plan P of least cost <P, C> among all with the given weights as sums of rows and columns (each divided by its total; none: uniform),
/// and the potentials of the dual problem. Exact up to rounding, in O((n + m) n m) or so: for some hundreds of rows. The same every time.
/// @throws std::invalid_argument for costs that are empty or not finite, weights that are not n and m, negative or of sum 0.
///
/// (transport_plan has an example.)
template <matrix_like C>
transport_plan optimal_plan(const C& costs, std::span<const double> source_weights = {}, std::span<const double> target_weights = {}) {
  const char* const name = "optimal_plan";
  const auto view = const_view_of(costs);
  require_shapes(view.rows > 0 && view.cols > 0, name, "there must be a source and a target", view, view);
  require_finite(name, "the costs", view);
  workspace scratch;
  double* const supply = detail::shares_of(source_weights, view.rows, scratch);
  double* const demand = detail::shares_of(target_weights, view.cols, scratch);
  detail::transport_solver solver(detail::copy_as<double>(exec::serial{}, view, scratch), supply, demand, scratch);
  const double cost = solver.solve();
  return solver.result(cost);
}

/// The cost of moving a row to another in optimal_transport.
enum class ground_cost {
  euclidean, ///< |x - y|_2: the distance is W_1
  squared    ///< |x - y|_2^2: W_2^2
};

/// Exact optimal transport between two samples in any dimension (Kantorovich): min <P, C> over the couplings of their weights. The gradient
/// is that for the optimal plan, which is held fixed; rows that coincide have gradient 0. Samples are (n_s, F), (n_t, F), with weights by
/// `weighted(z, w)`. O(n_s n_t F) and the time of optimal_plan; in double, host only. See sliced_wasserstein for large samples.
/// @throws std::invalid_argument for empty samples, different numbers of features, gradients of the wrong shape, features that are not
/// finite.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(4, 2), z_t = z_s.rowwise() + Eigen::RowVector2d(3, 4);
/// assert(std::abs(optimal_transport{}(z_s, z_t) - 5) < 1e-14);                       // every row moves by 5
/// assert(std::abs(optimal_transport{ground_cost::squared}(z_s, z_t) - 25) < 1e-13);
/// @endcode
struct optimal_transport : call_forms<optimal_transport> {
  static constexpr const char* name = "optimal_transport";
  static constexpr std::size_t arity = 2;

  ground_cost cost;

  explicit optimal_transport(ground_cost of_pair = ground_cost::euclidean) : cost(of_pair) {}

  /// The optimal plan; potentials less their means are the gradients with respect to the weights.
  template <sample_like ZS, sample_like ZT>
  transport_plan plan(const ZS& zs, const ZT& zt) const {
    const auto source = sample_of(zs), target = sample_of(zt);
    require_two_samples(name, source.rows, target.rows);
    workspace scratch;
    auto solver = solver_of(exec::default_policy{}, source, target, scratch);
    const double least = solver.solve();
    return solver.result(least);
  }

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: optimal_transport works on tensors of the host");
    require_execution<typename Call::execution_type, host_memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, host_memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call, sample_of(zs), sample_of(zt), out);
  }

private:
  template <class Exec, class T>
  detail::transport_solver solver_of(const Exec& exec, const sample<T>& source, const sample<T>& target, workspace& scratch) const {
    const index_t n = source.rows.rows, m = target.rows.rows;
    const matrix_view<double> costs = detail::scratch_matrix<double>(scratch, n, m);
    backend<host_memory>::for_each_row(exec, n, [&](index_t i) {
      for (index_t j = 0; j < m; ++j) {
        double square = 0;
        for (index_t f = 0; f < source.rows.cols; ++f) {
          const double apart = static_cast<double>(source.rows(i, f)) - static_cast<double>(target.rows(j, f));
          square += apart * apart;
        }
        costs(i, j) = cost == ground_cost::squared ? square : std::sqrt(square);
      }
    });
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < m; ++j)
        if (!is_finite(costs(i, j))) fail(name, "features must be finite");
    double* const supply = detail::shares_of(source.weights, n, scratch);
    double* const demand = detail::shares_of(target.weights, m, scratch);
    return {costs, supply, demand, scratch};
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const sample<T>& source, const sample<T>& target, const gradients<T>& out) const {
    require_two_samples(name, source.rows, target.rows);
    require_gradients(name, source, target, out);
    const workspace_scope scope(call.scratch);
    auto solver = solver_of(call.execution, source, target, call.scratch);
    const double least = solver.solve();
    if constexpr (Gradient) {
      const matrix_view<const double> plan = solver.plan();
      write_rows(call, source.rows, target.rows, plan, out.source, out);
      write_rows(call, target.rows, source.rows, plan.transposed(), out.target, out);
    }
    return static_cast<T>(least);
  }

  template <class Call, class T>
  void write_rows(const Call& call, const matrix_view<const T>& own, const matrix_view<const T>& others,
                  const matrix_view<const double>& plan, const matrix_view<T>& to, const gradients<T>& out) const {
    if (to.data == nullptr) return;
    const matrix_view<double> sums{call.scratch.template allocate_zero<double>(own.rows * own.cols), own.rows, own.cols};
    backend<host_memory>::for_each_row(call.execution, own.rows, [&](index_t i) {
      for (index_t j = 0; j < others.rows; ++j) {
        if (!(plan(i, j) > 0)) continue;
        double square = 0;
        for (index_t f = 0; f < own.cols; ++f) {
          const double apart = static_cast<double>(own(i, f)) - static_cast<double>(others(j, f));
          square += apart * apart;
        }
        const double weight = cost == ground_cost::squared ? 2 * plan(i, j) : (square > 0 ? plan(i, j) / std::sqrt(square) : 0);
        for (index_t f = 0; f < own.cols; ++f) sums(i, f) += weight * (static_cast<double>(own(i, f)) - static_cast<double>(others(j, f)));
      }
    });
    detail::write_gradient(call.execution, sums, to, out.scale, out.mode);
  }
};

} // namespace dalib
