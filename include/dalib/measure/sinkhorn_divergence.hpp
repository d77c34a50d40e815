/// @file
/// The Sinkhorn divergence.
#pragma once

#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/sinkhorn_problem.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace dalib {

/// Entropic optimal transport and the Sinkhorn divergence (Feydy et al. 2019, eq. 1 and 3), with exact marginals or relaxed ones
/// (Sejourne et al. 2019): with the cost C = |x - y|^2 / 2 (power 2) or |x - y| (power 1) and epsilon = blur^power,
///
///     OT(a, b) = min_P <P, C> + epsilon KL(P | a b') (+ r KL(P 1 | a) + r KL(P' 1 | b) if reach > 0, r = reach^power)
///     divergence = OT(a, b) - OT(a, a) / 2 - OT(b, b) / 2 (+ epsilon (sum a - sum b)^2 / 2 if reach > 0)
///
/// Samples are (n_s, F), (n_t, F); weights by `weighted(z, w)`, 1/n without. With exact marginals they are divided by their sums, with a
/// reach they count as they are. Gradients are by the envelope theorem: through the cost, the plan fixed, both arguments of OT(a, a);
/// weight_gradients has those of the weights. Coinciding rows pull nothing.
///
/// Potentials are in double and in the log domain wherever a plan would leave the range of numbers, so small blurs do not underflow; float
/// rows have their costs and plans in float where its rounding is below the tolerance. A cold start is from a blur of the diameter or, with
/// many rows, from the potentials of every eighth row; then sweeps run until the potentials change by less than `tolerance` epsilon:
/// gradients are as exact as that, unlike those of a fixed number of sweeps. Small blurs (below a hundredth of the diameter) may need
/// thousands of sweeps; after `iterations` it returns what it has (see solve). A sweep takes O(n_s n_t F) time, or O(n_s n_t) where the
/// costs are kept with the plan: up to 2^20 of them or twice the numbers in the samples; memory O((n_s + n_t) F). With power 2 what of a
/// plan is less than a quarter of the tolerance of each of its rows, all of it together, pulls nothing. In a training loop `memory` lets
/// each call start where the last one ended. The same bits for any number of threads; host only.
/// @throws std::invalid_argument for empty samples, different numbers of features, gradients of the wrong shape, a blur that is not
/// positive, a negative reach, a power other than 1 and 2, a scaling outside (0, 1), data that are not finite.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(20, 3), z_t = Eigen::MatrixXd::Random(16, 3).array() + 0.5;
/// const sinkhorn_divergence loss{{.blur = 0.3}};
/// const auto [value, g_s, g_t] = value_and_gradient(loss, z_s, z_t);
/// assert(value > 0 && std::abs(loss(z_s, z_s)) < 1e-8);
/// assert((g_s.colwise().sum() + g_t.colwise().sum()).norm() < 1e-7); // moving both changes nothing
/// @endcode
struct sinkhorn_divergence : call_forms<sinkhorn_divergence> {
  static constexpr const char* name = "sinkhorn_divergence";
  static constexpr std::size_t arity = 2;

  sinkhorn_settings settings;
  sinkhorn_memory* memory = nullptr; ///< read and written by every call, if there; one call at a time

  explicit sinkhorn_divergence(sinkhorn_settings s = {}) : settings(s) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: sinkhorn_divergence works on tensors of the host");
    require_execution<typename Call::execution_type, host_memory>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient, T>(call, sample_of(zs), sample_of(zt), out);
  }

  /// The dual potentials of OT(a, b), and whether `tolerance` was reached.
  struct potentials {
    std::vector<double> f, g; ///< of the source's rows, of the target's
    bool converged;
    int sweeps; ///< at the last blur
  };
  template <sample_like ZS, sample_like ZT>
  potentials solve(const ZS& zs, const ZT& zt) const {
    workspace scratch;
    const exec::default_policy exec;
    const problem<exec::default_policy> all(exec, sample_of(zs), sample_of(zt), *this, scratch);
    const auto& p = all.across;
    return {{p.f, p.f + all.source.size()}, {p.g, p.g + all.target.size()}, p.converged, p.sweeps};
  }
  /// The optimal plan of OT(a, b), (n_s, n_t) row by row, and <P, C>: for small samples.
  template <sample_like ZS, sample_like ZT>
  std::vector<double> plan(const ZS& zs, const ZT& zt, double* transport_cost = nullptr) const {
    workspace scratch;
    const exec::default_policy exec;
    const problem<exec::default_policy> all(exec, sample_of(zs), sample_of(zt), *this, scratch);
    std::vector<double> result;
    double total = 0;
    for (index_t i = 0; i < all.source.size(); ++i)
      for (index_t j = 0; j < all.target.size(); ++j) {
        double square = 0;
        for (index_t f = 0; f < all.source.points.cols; ++f) square += std::pow(all.source.points(i, f) - all.target.points(j, f), 2);
        const double cost = settings.power == 2 ? square / 2 : std::sqrt(square);
        const double kept = std::exp((all.across.f[i] + all.across.g[j] - cost) / settings.epsilon());
        result.push_back(all.source.weights[i] * all.target.weights[j] * kept);
        total += result.back() * cost;
      }
    if (transport_cost != nullptr) *transport_cost = total;
    return result;
  }
  /// Derivatives with respect to the weights of source and target: the full ones with a reach; less their means without, since only the
  /// tangent of the simplex is defined.
  template <sample_like ZS, sample_like ZT>
  std::array<std::vector<double>, 2> weight_gradients(const ZS& zs, const ZT& zt) const {
    workspace scratch;
    const exec::default_policy exec;
    const problem<exec::default_policy> all(exec, sample_of(zs), sample_of(zt), *this, scratch);
    const auto of_domain = [&](const detail::point_cloud& own, const detail::point_cloud& other, const double* f, const double* self) {
      const double mass = own.mass(), others = other.mass();
      std::vector<double> g;
      for (index_t i = 0; i < own.size(); ++i) {
        g.push_back(detail::weight_gradient(f[i], others, settings));
        if (!settings.debias) continue;
        g.back() -= detail::weight_gradient(self[i], mass, settings);
        if (settings.unbalanced()) g.back() += settings.epsilon() * (mass - others);
      }
      const double mean = settings.unbalanced() ? 0 : std::accumulate(g.begin(), g.end(), 0.0) / static_cast<double>(g.size());
      for (double& number : g) number -= mean;
      return g;
    };
    return {of_domain(all.source, all.target, all.across.f, all.of_source.f),
            of_domain(all.target, all.source, all.across.g, all.of_target.f)};
  }

private:
  /// Both clouds, their costs and the potentials, in scratch memory.
  template <class Exec>
  struct problem {
    detail::point_cloud source, target;
    std::optional<detail::pair_costs<Exec>> costs, costs_s, costs_t;
    detail::potential_pair across{}, of_source{}, of_target{};

    template <class T>
    problem(const Exec& exec, const sample<T>& s, const sample<T>& t, const sinkhorn_divergence& loss, workspace& scratch) {
      const sinkhorn_settings& set = loss.settings;
      require_two_samples(name, s.rows, t.rows);
      require_settings(set);
      const double* const mean = detail::column_means(exec, s.rows, scratch); // no accuracy is lost by where the data lie
      source = cloud_of(exec, s, mean, set, scratch);
      target = cloud_of(exec, t, mean, set, scratch);
      const auto solve = [&](const detail::point_cloud& x, const detail::point_cloud& y, auto& own_costs, std::vector<double>* kept,
                             const detail::pair_costs<Exec>* pair = nullptr) {
        constexpr bool in_float = std::is_same_v<T, float>;
        own_costs.emplace(exec, x, y, detail::sinkhorn_scale{set.power, set.epsilon(), set.tolerance, in_float}, scratch, pair);
        return detail::sinkhorn_sweeps<Exec>(exec, x, y, *own_costs, set, in_float, scratch).solve(kept);
      };
      sinkhorn_memory* const state = loss.memory;
      across = solve(source, target, costs, state ? &state->across : nullptr);
      if (!set.debias) return;
      of_source = solve(source, source, costs_s, state ? &state->source : nullptr, &*costs);
      of_target = solve(target, target, costs_t, state ? &state->target : nullptr, &*costs);
    }
  };

  static void require_settings(const sinkhorn_settings& set) {
    if (set.power != 1 && set.power != 2) fail(name, "the power must be 1 or 2 (got " + std::to_string(set.power) + ")");
    detail::require_positive(name, "the blur", set.blur);
    detail::require_not_negative(name, "the reach", set.reach);
    detail::require_not_negative(name, "the tolerance", set.tolerance);
    if (!(set.scaling > 0 && set.scaling < 1)) fail(name, "the scaling must be between 0 and 1 (got " + std::to_string(set.scaling) + ")");
    if (set.iterations < 1) fail(name, "there must be at least one iteration");
  }

  static void require_finite(const detail::real_matrix& points) {
    double sum = 0;
    for (index_t i = 0; i < points.rows; ++i)
      for (index_t j = 0; j < points.cols; ++j) sum += std::abs(points(i, j));
    if (!is_finite(sum)) fail(name, "features must be finite");
  }

  template <class Exec, class T>
  static detail::point_cloud cloud_of(const Exec& exec, const sample<T>& from, const double* mean, const sinkhorn_settings& set,
                                      workspace& scratch) {
    const index_t n = from.rows.rows;
    const detail::real_matrix points = detail::centred_copy<double>(exec, from.rows, mean, scratch);
    double* const numbers = scratch.template allocate<double>(3 * n);
    detail::point_cloud result{points, numbers, numbers + n, numbers + 2 * n, 0};
    double sum = 0;
    for (index_t i = 0; i < n; ++i) {
      const double square = result.squares[i] = detail::inner_product(&points(i, 0), &points(i, 0), points.cols);
      result.largest_square = std::max(result.largest_square, square);
      sum += square;
    }
    if (!is_finite(sum)) require_finite(points); // or too large to be squared
    double total = 0;
    for (index_t i = 0; i < n; ++i) {
      result.weights[i] = from.weights != nullptr ? static_cast<double>(from.weights[i]) : 1;
      total += result.weights[i];
    }
    const double unit = from.weights == nullptr ? static_cast<double>(n) : (set.unbalanced() ? 1 : total);
    const double each = std::log(1 / unit); // of rows without weights
    for (index_t i = 0; i < n; ++i) {
      result.weights[i] /= unit;
      result.log_weights[i] = from.weights == nullptr ? each : std::log(result.weights[i]);
    }
    return result;
  }

  template <bool Gradient, class T, class Call>
  T run(const Call& call, const sample<T>& s, const sample<T>& t, const gradients<T>& out) const {
    using Exec = typename Call::execution_type;
    require_two_samples(name, s.rows, t.rows);
    require_gradients(name, s, t, out);
    const workspace_scope scope(call.scratch);
    problem<Exec> all(call.execution, s, t, *this, call.scratch);
    double value = detail::transport_value(all.source, all.target, all.across, settings);
    if (settings.debias) {
      value -= 0.5 * detail::transport_value(all.source, all.source, all.of_source, settings) +
               0.5 * detail::transport_value(all.target, all.target, all.of_target, settings);
      if (settings.unbalanced()) {
        const double apart = all.source.mass() - all.target.mass();
        value += 0.5 * settings.epsilon() * apart * apart;
      }
    }
    if constexpr (Gradient) {
      const detail::scratch_algebra work(call.execution, call.scratch);
      const auto sums_for = [&](const matrix_view<T>& to) {
        return to.data == nullptr ? detail::real_matrix{} : work.matrix(to.rows, to.cols);
      };
      const detail::real_matrix of_s = sums_for(out.source), of_t = sums_for(out.target);
      const double epsilon = settings.epsilon();
      all.costs->pulls(epsilon, all.across.f, all.across.g, 1, of_s, of_t, write_mode::overwrite);
      const auto finish = [&](auto& costs, const detail::potential_pair& p, const detail::real_matrix& sums, const matrix_view<T>& to) {
        if (to.data == nullptr) return;
        if (settings.debias) costs->pulls(epsilon, p.f, p.f, -1, sums, {}, write_mode::accumulate);
        detail::write_gradient(call.execution, sums, to, out.scale, out.mode);
      };
      finish(all.costs_s, all.of_source, of_s, out.source);
      finish(all.costs_t, all.of_target, of_t, out.target);
    }
    return static_cast<T>(value);
  }
};

} // namespace dalib
