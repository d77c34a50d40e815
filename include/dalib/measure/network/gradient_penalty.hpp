/// @file
/// The critic of WDGRL: the Wasserstein distance that it estimates, and the penalty that keeps it near Lipschitz 1.
#pragma once

#include "dalib/measure/network/penalty_pass.hpp"
#include "dalib/measure/score_measure.hpp"

namespace dalib {

/// Where a critic's gradient is held near length 1.
enum class penalty_points {
  between, ///< h_t + alpha (h_s - h_t): Gulrajani et al. 2017, eq. 3
  all      ///< these, the source's and the target's rows: Shen et al. 2018
};

/// What a critic is shown: features h_s, h_t (n, F) and, for its penalty, alpha (n, 1), uniform on 0 .. 1. See critic_loss.
template <class T>
struct critic_batch {
  matrix_view<const T> source, target, alpha{};

  critic_batch(const matrix_view<const T>& of_source, const matrix_view<const T>& of_target, const matrix_view<const T>& share = {})
      : source(of_source), target(of_target), alpha(share) {}
  template <matrix_like HS, matrix_like HT>
  critic_batch(const HS& h_s, const HT& h_t) : source(const_view_of(h_s)), target(const_view_of(h_t)) {}
  template <matrix_like HS, matrix_like HT, matrix_like A>
  critic_batch(const HS& h_s, const HT& h_t, const A& share)
      : source(const_view_of(h_s)), target(const_view_of(h_t)), alpha(const_view_of(share)) {}
};
template <class HS, class... Others>
critic_batch(const HS&, const Others&...) -> critic_batch<value_type_of<HS>>;

/// Where a critic's gradients go: those of its parameters, and of the features; either may be missing.
template <class T>
struct critic_gradients {
  network_gradients<T> parameters = {};
  gradients<T> features = no_gradients<T, host_memory>();
};

namespace detail {

/// Adds factor * a row to a gradient, if it is wanted.
template <class T>
void add_row(const matrix_view<T>& to, index_t row, const matrix_view<T>& from, index_t from_row, T factor) {
  if (to.data == nullptr) return;
  for (index_t j = 0; j < to.cols; ++j) to(row, j) += factor * from(from_row, j);
}

template <class T>
void require_critic(const char* measure, const feed_forward<T>& critic, const critic_batch<T>& batch, const critic_gradients<T>& out) {
  require_two_samples(measure, batch.source, batch.target);
  require_network(measure, critic, batch.source.cols, out.parameters);
  if (critic.outputs() != 1) fail(measure, "a critic gives one number for each row");
  require_gradients(measure, sample<T>{batch.source}, sample<T>{batch.target}, out.features);
}

} // namespace detail

/// Gradient penalty of a critic D (Gulrajani et al. 2017, eq. 3; Shen et al. 2018, eq. 4): mean over points of (|dD/dh|_2 - 1)^2.
///
/// Gradients are exact, through the critic's gradient: with respect to the parameters and the points (with a ReLU those of biases and
/// points are 0). Where dD/dh is 0, as behind dead units, the slope is 0. O(n x parameters): three passes. Host only, in T.
/// @throws std::invalid_argument for layers that do not fit, a critic of more than one output, empty samples, gradients of another shape,
/// and for pairs of features that are not equally many with one alpha each.
///
/// @code{.cpp}
/// const Eigen::MatrixXd weight = (Eigen::MatrixXd(1, 2) << 3, 4).finished(), points = Eigen::MatrixXd::Random(5, 2);
/// const double bias = 1;
/// const std::vector<dense_layer<const double>> layers = {{const_view_of(weight), &bias}}; // D = 3 h_1 + 4 h_2 + 1: |dD/dh| = 5
/// assert(std::abs(gradient_penalty{}(feed_forward<double>{layers}, points) - 16) < 1e-13);
/// @endcode
struct gradient_penalty {
  static constexpr const char* name = "gradient_penalty";

  penalty_points where;

  explicit gradient_penalty(penalty_points of = penalty_points::all) : where(of) {}

  /// At given points.
  template <class T, matrix_like H>
  T operator()(const feed_forward<T>& critic, const H& points) const {
    workspace scratch;
    return value_and_gradient(exec::default_policy{}, critic, const_view_of(points), {}, gradient<T>{}, scratch);
  }
  /// At given points, with gradients of the parameters and of the points.
  template <class Exec, class T>
  T value_and_gradient(const Exec& exec, const feed_forward<T>& critic, const std::type_identity_t<matrix_view<const T>>& points,
                       const std::type_identity_t<network_gradients<T>>& out, const std::type_identity_t<gradient<T>>& of_points,
                       workspace& scratch) const {
    detail::require_critic(name, critic, critic_batch<T>{points, points}, {out, no_gradients<T, host_memory>()});
    require_gradient_shape(name, points, of_points.target);
    const workspace_scope scope(scratch);
    const detail::penalty_pass<Exec, T> pass(exec, critic, points, scratch);
    detail::clear_parameters(out);
    if (!out.layers.empty() || of_points.target.data != nullptr) {
      const matrix_view<T> pulls = pass.pull(out, out.scale);
      detail::write_gradient(exec, pulls, of_points.target, of_points.scale, of_points.mode);
    }
    return static_cast<T>(pass.value());
  }
  /// At the points that `where` makes of a batch.
  template <class Exec, class T>
  T value_and_gradient(const Exec& exec, const feed_forward<T>& critic, const critic_batch<T>& batch,
                       const std::type_identity_t<critic_gradients<T>>& out, workspace& scratch) const {
    detail::require_critic(name, critic, batch, out);
    require_pairs(name, batch);
    const workspace_scope scope(scratch);
    detail::clear_parameters(out.parameters);
    clear(out.features);
    return static_cast<T>(add(exec, critic, batch, out, T(1), scratch));
  }

  /// The points of a batch, each row what is asked for: (n, F), or (3 n, F).
  template <class T>
  matrix_view<T> points_of(const critic_batch<T>& batch, workspace& scratch) const {
    const index_t n = batch.source.rows, before = where == penalty_points::all ? 2 * n : 0;
    const matrix_view<T> points = detail::scratch_matrix<T>(scratch, before + n, batch.source.cols);
    for (index_t i = 0; i < n; ++i)
      for (index_t j = 0; j < points.cols; ++j) {
        points(before + i, j) = batch.target(i, j) + batch.alpha(i, 0) * (batch.source(i, j) - batch.target(i, j));
        if (before == 0) continue;
        points(i, j) = batch.source(i, j);
        points(n + i, j) = batch.target(i, j);
      }
    return points;
  }

private:
  friend struct critic_loss;

  template <class T>
  static void require_pairs(const char* measure, const critic_batch<T>& batch) {
    require_shapes(batch.source.rows == batch.target.rows && batch.alpha.rows == batch.source.rows && batch.alpha.cols == 1, measure,
                   "the penalty takes pairs of rows, and alpha must be (n, 1)", batch.source, batch.target);
  }
  template <class T>
  static void clear(const gradients<T>& out) {
    if (out.mode == write_mode::accumulate) return;
    for (const matrix_view<T>& to : {out.source, out.target})
      if (to.data != nullptr) detail::clear_view(to);
  }

  /// The penalty; `factor` times its gradients is added.
  template <class Exec, class T>
  double add(const Exec& exec, const feed_forward<T>& critic, const critic_batch<T>& batch, const critic_gradients<T>& out, T factor,
             workspace& scratch) const {
    const index_t n = batch.source.rows, before = where == penalty_points::all ? 2 * n : 0;
    const detail::penalty_pass<Exec, T> pass(exec, critic, points_of(batch, scratch), scratch);
    const gradients<T>& features = out.features;
    if (!out.parameters.layers.empty() || features.source.data != nullptr || features.target.data != nullptr) {
      const matrix_view<T> pulls = pass.pull(out.parameters, factor * out.parameters.scale);
      const T scale = factor * features.scale;
      for (index_t i = 0; i < n; ++i) {
        const T share = batch.alpha(i, 0);
        if (before > 0) {
          detail::add_row(features.source, i, pulls, i, scale);
          detail::add_row(features.target, i, pulls, n + i, scale);
        }
        detail::add_row(features.source, i, pulls, before + i, scale * share);
        detail::add_row(features.target, i, pulls, before + i, scale * (T(1) - share));
      }
    }
    return pass.value();
  }
};

/// What a critic is trained to, and what features are: WDGRL (Shen et al. 2018, eq. 2-5). With W = mean D(h_s) - mean D(h_t), the
/// estimated Wasserstein distance, the critic minimises
///
///     -W + gamma gradient_penalty
///
/// and the features minimise W (`distance`). Features are (n, F) of both domains, paired for the penalty by alpha (n, 1). Cost and errors
/// as gradient_penalty, and a negative gamma.
///
/// @code{.cpp}
/// const Eigen::MatrixXd w1 = Eigen::MatrixXd::Random(4, 3), w2 = Eigen::MatrixXd::Random(1, 4), b1 = Eigen::MatrixXd::Zero(4, 1);
/// const double b2 = 0;
/// const std::vector<dense_layer<const double>> layers = {{const_view_of(w1), b1.data()}, {const_view_of(w2), &b2}};
/// const feed_forward<double> critic{layers, hidden_activation::tanh};
/// const Eigen::MatrixXd h_s = Eigen::MatrixXd::Random(6, 3), h_t = Eigen::MatrixXd::Random(6, 3);
/// const Eigen::MatrixXd alpha = Eigen::MatrixXd::Constant(6, 1, 0.5);
/// Eigen::MatrixXd g1(4, 3), g2(1, 4), gb1(4, 1), g_s(6, 3), g_t(6, 3);
/// double gb2 = 0;
/// const std::vector<dense_layer<double>> slopes = {{view_of(g1), gb1.data()}, {view_of(g2), &gb2}};
/// workspace scratch;
/// const exec::serial alone;
/// const critic_loss loss{10, penalty_points::between};
/// const double value = loss.value_and_gradient(alone, critic, critic_batch(h_s, h_t, alpha), {.parameters = {slopes}}, scratch);
/// const critic_gradients<double> of_features{.features = gradients{g_s, g_t}};
/// const double w = loss.distance(alone, critic, critic_batch(h_s, h_t), of_features, scratch);
/// assert(value >= -w && g1.norm() > 0 && std::abs(gb2) < 1e-14 && g_s.norm() > 0 && g_t.norm() > 0);
/// @endcode
struct critic_loss {
  static constexpr const char* name = "critic_loss";

  double gamma;
  gradient_penalty penalty;

  explicit critic_loss(double weight = 10, penalty_points where = penalty_points::all) : gamma(weight), penalty(where) {}

  /// The critic's objective.
  template <class Exec, class T>
  T value_and_gradient(const Exec& exec, const feed_forward<T>& critic, const critic_batch<T>& batch,
                       const std::type_identity_t<critic_gradients<T>>& out, workspace& scratch) const {
    detail::require_critic(name, critic, batch, out);
    gradient_penalty::require_pairs(name, batch);
    detail::require_not_negative(name, "gamma", gamma);
    const workspace_scope scope(scratch);
    detail::clear_parameters(out.parameters);
    gradient_penalty::clear(out.features);
    const double distance = add_distance(exec, critic, batch, out, T(-1), scratch);
    return static_cast<T>(-distance + gamma * penalty.add(exec, critic, batch, out, static_cast<T>(gamma), scratch));
  }
  /// W; the numbers of rows may differ, and alpha is not needed.
  template <class Exec, class T>
  T distance(const Exec& exec, const feed_forward<T>& critic, const critic_batch<T>& batch,
             const std::type_identity_t<critic_gradients<T>>& out, workspace& scratch) const {
    detail::require_critic(name, critic, batch, out);
    const workspace_scope scope(scratch);
    detail::clear_parameters(out.parameters);
    gradient_penalty::clear(out.features);
    return static_cast<T>(add_distance(exec, critic, batch, out, T(1), scratch));
  }

private:
  /// W; `factor` times its gradients is added.
  template <class Exec, class T>
  static double add_distance(const Exec& exec, const feed_forward<T>& critic, const critic_batch<T>& batch, const critic_gradients<T>& out,
                             T factor, workspace& scratch) {
    const auto of_domain = [&](const matrix_view<const T>& rows, const matrix_view<T>& to, T sign) {
      const workspace_mark mark(scratch);
      const detail::network_pass<Exec, T> pass(exec, critic, rows, scratch);
      double sum = 0;
      for (index_t i = 0; i < rows.rows; ++i) sum += static_cast<double>(pass.outputs()(i, 0));
      const double share = 1 / static_cast<double>(rows.rows);
      if (!out.parameters.layers.empty() || to.data != nullptr) {
        const matrix_view<T> slope = detail::scratch_matrix<T>(scratch, rows.rows, 1);
        for (index_t i = 0; i < rows.rows; ++i) slope(i, 0) = sign * static_cast<T>(share);
        const matrix_view<T> pulls = pass.pull(slope, out.parameters, factor * out.parameters.scale);
        for (index_t i = 0; i < rows.rows; ++i) detail::add_row(to, i, pulls, i, factor * out.features.scale);
      }
      return sum * share;
    };
    const double of_source = of_domain(batch.source, out.features.source, T(1));
    return of_source - of_domain(batch.target, out.features.target, T(-1));
  }
};

} // namespace dalib
