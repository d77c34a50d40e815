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
class transport_solver {
public:
  transport_solver(std::vector<double> costs, std::vector<double> supply, std::vector<double> demand)
      : n_(supply.size()), m_(demand.size()), costs_(std::move(costs)), supply_(std::move(supply)), demand_(std::move(demand)),
        flow_(n_ * m_), u_(n_), v_(m_) {
    for (std::size_t i = 0; i < n_; ++i) u_[i] = *std::min_element(costs_.begin() + at(i, 0), costs_.begin() + at(i, 0) + signed_of(m_));
  }

  transport_plan solve() {
    for (std::size_t i = 0; i < n_; ++i)
      while (supply_[i] > dust && augment(i)) {
      }
    double cost = 0;
    for (std::size_t k = 0; k < flow_.size(); ++k) cost += flow_[k] > 0 ? flow_[k] * costs_[k] : 0;
    return {std::move(flow_), std::move(u_), std::move(v_), cost};
  }

private:
  static constexpr double dust = 1e-15; ///< of a total mass of 1: rounding
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  static std::ptrdiff_t signed_of(std::size_t k) { return static_cast<std::ptrdiff_t>(k); }
  std::ptrdiff_t at(std::size_t i, std::size_t j) const { return signed_of(i * m_ + j); }
  double reduced(std::size_t i, std::size_t j) const { return std::max(0.0, costs_[i * m_ + j] - u_[i] - v_[j]); }

  /// Sends mass from source i along one shortest path; false if no sink has room, up to rounding.
  bool augment(std::size_t start) {
    std::vector<double> sink_distance(m_, std::numeric_limits<double>::infinity()), source_distance(n_, -1);
    std::vector<std::size_t> from_source(m_, none), from_sink(n_, none);
    std::vector<char> done(m_, 0);
    const auto relax = [&](std::size_t i, double distance) {
      source_distance[i] = distance;
      for (std::size_t j = 0; j < m_; ++j) {
        if (done[j]) continue;
        const double through = distance + reduced(i, j);
        if (through < sink_distance[j]) {
          sink_distance[j] = through;
          from_source[j] = i;
        }
      }
    };
    relax(start, 0);
    std::size_t end = none;
    for (std::size_t step = 0; step < m_ && end == none; ++step) {
      std::size_t nearest = none;
      for (std::size_t j = 0; j < m_; ++j)
        if (!done[j] && (nearest == none || sink_distance[j] < sink_distance[nearest])) nearest = j;
      done[nearest] = 1;
      if (demand_[nearest] > dust)
        end = nearest;
      else
        for (std::size_t i = 0; i < n_; ++i)
          if (flow_[i * m_ + nearest] > 0 && source_distance[i] < 0) {
            from_sink[i] = nearest;
            relax(i, sink_distance[nearest]);
          }
    }
    if (end == none) return false;
    const double length = sink_distance[end];
    for (std::size_t i = 0; i < n_; ++i)
      if (source_distance[i] >= 0) u_[i] += length - std::min(length, source_distance[i]);
    for (std::size_t j = 0; j < m_; ++j)
      if (done[j]) v_[j] -= length - std::min(length, sink_distance[j]);
    move_mass(start, end, from_source, from_sink);
    return true;
  }

  void move_mass(std::size_t start, std::size_t end, const std::vector<std::size_t>& from_source,
                 const std::vector<std::size_t>& from_sink) {
    double mass = std::min(supply_[start], demand_[end]);
    for (std::size_t i = from_source[end]; i != start; i = from_source[from_sink[i]]) mass = std::min(mass, flow_[i * m_ + from_sink[i]]);
    supply_[start] -= mass;
    demand_[end] -= mass;
    for (std::size_t j = end;;) {
      const std::size_t i = from_source[j];
      flow_[i * m_ + j] += mass;
      if (i == start) return;
      j = from_sink[i];
      double& back = flow_[i * m_ + j];
      back = back - mass > dust ? back - mass : 0;
    }
  }

  std::size_t n_, m_;
  std::vector<double> costs_, supply_, demand_, flow_, u_, v_;
};

/// Weights with sum 1; uniform if there are none.
inline std::vector<double> shares_of(const char* name, std::span<const double> weights, std::size_t count) {
  if (weights.empty()) return std::vector<double>(count, 1 / static_cast<double>(count));
  require_weights(matrix_view<const double>(nullptr, static_cast<index_t>(count), 1), weights.data(), static_cast<index_t>(weights.size()));
  static_cast<void>(name);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> result(weights.begin(), weights.end());
  for (double& weight : result) weight /= total;
  return result;
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
  std::vector<double> numbers;
  for (index_t i = 0; i < view.rows; ++i)
    for (index_t j = 0; j < view.cols; ++j) numbers.push_back(static_cast<double>(view(i, j)));
  return detail::transport_solver(std::move(numbers), detail::shares_of(name, source_weights, static_cast<std::size_t>(view.rows)),
                                  detail::shares_of(name, target_weights, static_cast<std::size_t>(view.cols)))
      .solve();
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
    return plan_of(source, target);
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
  template <class T>
  transport_plan plan_of(const sample<T>& source, const sample<T>& target) const {
    const index_t n = source.rows.rows, m = target.rows.rows;
    std::vector<double> costs;
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < m; ++j) {
        double square = 0;
        for (index_t f = 0; f < source.rows.cols; ++f) {
          const double apart = static_cast<double>(source.rows(i, f)) - static_cast<double>(target.rows(j, f));
          square += apart * apart;
        }
        if (!is_finite(square)) fail(name, "features must be finite");
        costs.push_back(cost == ground_cost::squared ? square : std::sqrt(square));
      }
    const auto weights = [](const sample<T>& one) {
      return one.weights ? std::vector<double>(one.weights, one.weights + one.rows.rows) : std::vector<double>();
    };
    return detail::transport_solver(std::move(costs), detail::shares_of(name, weights(source), static_cast<std::size_t>(n)),
                                    detail::shares_of(name, weights(target), static_cast<std::size_t>(m)))
        .solve();
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const sample<T>& source, const sample<T>& target, const gradients<T>& out) const {
    require_two_samples(name, source.rows, target.rows);
    require_gradients(name, source, target, out);
    const workspace_scope scope(call.scratch);
    const transport_plan best = plan_of(source, target);
    if constexpr (Gradient) {
      const matrix_view<const double> plan(best.plan.data(), source.rows.rows, target.rows.rows);
      write_rows(call, source.rows, target.rows, plan, out.source, out);
      write_rows(call, target.rows, source.rows, plan.transposed(), out.target, out);
    }
    return static_cast<T>(best.cost);
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
