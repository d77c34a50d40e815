/// @file
/// The Sinkhorn divergence.
#pragma once

#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/sinkhorn_problem.hpp"

#include <array>
#include <cmath>
#include <memory>
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
/// Everything is in the log domain and in double, so small blurs do not underflow. Sweeps warm up from the diameter down and then run until
/// the potentials change by less than `tolerance` epsilon: gradients are as exact as that, unlike those of a fixed number of sweeps. Small
/// blurs (below a hundredth of the diameter) may need thousands of sweeps; after `iterations` it returns what it has (see solve).
/// A sweep takes O(n_s n_t F) time, O(n_s n_t) where the costs are kept: up to 2^20 of them or twice the numbers in the samples; memory
/// O((n_s + n_t) F). The same bits for any number of threads; host only.
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

  /// The dual potentials of OT(a, b): f of the source's rows, g of the target's; `converged` says whether `tolerance` was reached.
  template <sample_like ZS, sample_like ZT>
  detail::potentials solve(const ZS& zs, const ZT& zt) const {
    return problem(exec::default_policy{}, sample_of(zs), sample_of(zt), settings).across;
  }
  /// The optimal plan of OT(a, b), (n_s, n_t) row by row, and <P, C>: for small samples.
  template <sample_like ZS, sample_like ZT>
  std::vector<double> plan(const ZS& zs, const ZT& zt, double* transport_cost = nullptr) const {
    const problem all(exec::default_policy{}, sample_of(zs), sample_of(zt), settings);
    detail::row_major_matrix cost;
    std::vector<double> result;
    double total = 0;
    for (index_t i = 0; i < all.source.size(); ++i) {
      all.costs->block(false, i, 1, 0, all.target.size(), cost);
      for (index_t j = 0; j < all.target.size(); ++j) {
        const double share =
            all.source.weights(i) * all.target.weights(j) * std::exp((all.across.f(i) + all.across.g(j) - cost(0, j)) / settings.epsilon());
        result.push_back(share);
        total += share * cost(0, j);
      }
    }
    if (transport_cost != nullptr) *transport_cost = total;
    return result;
  }
  /// Derivatives with respect to the weights of source and target: the full ones with a reach; less their means without, since only the
  /// tangent of the simplex is defined.
  template <sample_like ZS, sample_like ZT>
  std::array<std::vector<double>, 2> weight_gradients(const ZS& zs, const ZT& zt) const {
    const problem all(exec::default_policy{}, sample_of(zs), sample_of(zt), settings);
    const double mass_s = all.source.mass(), mass_t = all.target.mass();
    Eigen::VectorXd g_s = detail::weight_gradient(all.across.f, mass_t, settings),
                    g_t = detail::weight_gradient(all.across.g, mass_s, settings);
    if (settings.debias) {
      g_s -= detail::weight_gradient(all.of_source.f, mass_s, settings);
      g_t -= detail::weight_gradient(all.of_target.f, mass_t, settings);
      if (settings.unbalanced()) {
        g_s.array() += settings.epsilon() * (mass_s - mass_t);
        g_t.array() -= settings.epsilon() * (mass_s - mass_t);
      }
    }
    if (!settings.unbalanced()) {
      g_s.array() -= g_s.mean();
      g_t.array() -= g_t.mean();
    }
    return {std::vector<double>(g_s.data(), g_s.data() + g_s.size()), std::vector<double>(g_t.data(), g_t.data() + g_t.size())};
  }

private:
  /// Both clouds, their costs and the potentials.
  struct problem {
    detail::point_cloud source, target;
    std::unique_ptr<const detail::pair_costs> costs, costs_s, costs_t;
    detail::potentials across, of_source, of_target;

    template <class Exec, class T>
    problem(const Exec& exec, const sample<T>& s, const sample<T>& t, const sinkhorn_settings& set) {
      require_two_samples(name, s.rows, t.rows);
      require_settings(set);
      source = cloud_of(s, set);
      target = cloud_of(t, set);
      const Eigen::RowVectorXd mean = source.points.colwise().mean(); // no accuracy is lost by where the data lie
      for (detail::point_cloud* cloud : {&source, &target}) {
        cloud->points.rowwise() -= mean;
        cloud->squares = cloud->points.rowwise().squaredNorm();
        if (!is_finite(cloud->squares.sum())) fail(name, "features must be finite");
      }
      costs = std::make_unique<detail::pair_costs>(exec, source, target, set.power);
      across = detail::sinkhorn_sweeps(exec, source, target, *costs, set).solve();
      if (!set.debias) return;
      costs_s = std::make_unique<detail::pair_costs>(exec, source, source, set.power);
      of_source = detail::sinkhorn_sweeps(exec, source, source, *costs_s, set).solve();
      costs_t = std::make_unique<detail::pair_costs>(exec, target, target, set.power);
      of_target = detail::sinkhorn_sweeps(exec, target, target, *costs_t, set).solve();
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

  template <class T>
  static detail::point_cloud cloud_of(const sample<T>& from, const sinkhorn_settings& set) {
    detail::point_cloud result;
    result.points.resize(from.rows.rows, from.rows.cols);
    for (index_t i = 0; i < from.rows.rows; ++i)
      for (index_t j = 0; j < from.rows.cols; ++j) result.points(i, j) = static_cast<double>(from.rows(i, j));
    result.weights = Eigen::VectorXd::Constant(from.rows.rows, 1 / static_cast<double>(from.rows.rows));
    if (from.weights != nullptr) {
      for (index_t i = 0; i < from.rows.rows; ++i) result.weights(i) = static_cast<double>(from.weights[i]);
      if (!set.unbalanced()) result.weights /= result.weights.sum();
    }
    result.log_weights = result.weights.array().log();
    return result;
  }

  template <bool Gradient, class T, class Call>
  T run(const Call& call, const sample<T>& s, const sample<T>& t, const gradients<T>& out) const {
    require_two_samples(name, s.rows, t.rows);
    require_gradients(name, s, t, out);
    const problem all(call.execution, s, t, settings);
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
      write(call, all.source, all.target, *all.costs, false, all.across.f, all.across.g, all.costs_s.get(), all.of_source.f, out.source,
            out);
      write(call, all.target, all.source, *all.costs, true, all.across.g, all.across.f, all.costs_t.get(), all.of_target.f, out.target,
            out);
    }
    return static_cast<T>(value);
  }

  template <class Call, class T>
  void write(const Call& call, const detail::point_cloud& own, const detail::point_cloud& other, const detail::pair_costs& costs,
             bool transposed, const Eigen::VectorXd& f, const Eigen::VectorXd& g, const detail::pair_costs* self_costs,
             const Eigen::VectorXd& self, const matrix_view<T>& to, const gradients<T>& out) const {
    if (to.data == nullptr) return;
    detail::row_major_matrix sums = detail::row_major_matrix::Zero(own.size(), own.points.cols());
    detail::add_point_gradient(call.execution, own, other, costs, transposed, f, g, settings, 1, sums);
    if (self_costs != nullptr) detail::add_point_gradient(call.execution, own, own, *self_costs, false, self, self, settings, -1, sums);
    detail::write_gradient(call.execution, matrix_view<const double>(sums.data(), sums.rows(), sums.cols()), to, out.scale, out.mode);
  }
};

} // namespace dalib
