/// @file
/// The loss of DeepJDOT for a given coupling.
#pragma once

#include "dalib/core/gradient.hpp"
#include "dalib/engine/row/softmax.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace dalib {

/// Factors of the two costs of joint_distribution_transport.
///
/// @code{.cpp}
/// const transport_costs costs; // the paper's for digits
/// assert(costs.features == 0.001 && costs.labels == 1);
/// @endcode
struct transport_costs {
  double features = 0.001; ///< alpha
  double labels = 1;       ///< lambda_t
};

/// The transport loss of DeepJDOT (Damodaran et al. 2018, eq. 6) for a given coupling gamma (n_s, n_t):
///
///     sum_ij gamma_ij (alpha |g_s,i - g_t,j|^2 + lambda_t CE(y_t,j; label_i)),   CE of the target's logits with the source's label
///
/// Inputs are g_s (n_s, F), g_t (n_t, F), the target's logits y_t (n_t, C), and the coupling, a constant; labels are the source's.
/// `gradients{g_s, g_t}` are those of the features; a further `gradient{g}` is that of the logits. Only couplings that are not 0 cost a
/// distance: O(n_s n_t + nonzeros F + n_t C), so an optimal coupling, with n_s + n_t - 1 of them, costs little. In double; host only.
/// @throws std::invalid_argument for empty domains, shapes that do not fit, labels that are not n_s or out of range, couplings that are
/// negative or not finite, negative factors.
///
/// @code{.cpp}
/// const Eigen::MatrixXd g_s = Eigen::MatrixXd::Zero(2, 3), g_t = Eigen::MatrixXd::Ones(2, 3), y_t = Eigen::MatrixXd::Zero(2, 4);
/// const Eigen::MatrixXd coupling = Eigen::MatrixXd::Identity(2, 2) / 2;
/// const std::vector<std::int64_t> labels = {3, 1};
/// const joint_distribution_transport loss{labels, {.features = 0.1, .labels = 1}};
/// assert(std::abs(loss(g_s, g_t, y_t, coupling) - (0.3 + std::log(4))) < 1e-14);
/// @endcode
struct joint_distribution_transport : call_forms<joint_distribution_transport> {
  static constexpr const char* name = "joint_distribution_transport";
  static constexpr std::size_t arity = 4;
  static constexpr std::array<const char*, 4> argument_names = {"the source's features", "the target's features", "the target's logits",
                                                                "the coupling"};
  using differentiable = std::index_sequence<0, 1, 2>; // on a tape
  using returned = std::index_sequence<0, 1>;

  label_span labels;
  transport_costs costs;

  explicit joint_distribution_transport(label_span of_source, transport_costs factors = {}) : labels(of_source), costs(factors) {}

  /// The costs of all pairs, (n_s, n_t), for whoever finds the coupling, such as optimal_plan; O(n_s n_t F + n_t C).
  template <matrix_like GS, matrix_like GT, matrix_like Y, matrix_like C>
  void pair_costs(const GS& features_s, const GT& features_t, const Y& logits_t, C& to) const {
    using T = value_type_of<GS>;
    const inputs<T> in{const_view_of(features_s), const_view_of(features_t), const_view_of(logits_t), {}};
    const auto out = view_of(to);
    require_inputs(in);
    require_shapes(out.rows == in.source.rows && out.cols == in.target.rows, name, "costs must be (n_s, n_t)", in.source, out);
    workspace scratch;
    const matrix_view<double> log_p = log_predictions(exec::default_policy{}, in.logits, scratch);
    backend<host_memory>::for_each_entry(exec::default_policy{}, out.rows, out.cols, [&](index_t i, index_t first, index_t count) {
      const index_t label = static_cast<index_t>(labels[static_cast<std::size_t>(i)]);
      for (index_t j = first; j < first + count; ++j)
        out(i, j) =
            static_cast<typename decltype(out)::value_type>(costs.features * squared_distance(in, i, j) - costs.labels * log_p(j, label));
    });
  }

  /// The operation that every form of call comes down to.
  template <class Call, class GS, class GT, class Y, class Coupling>
  auto evaluate(const Call& call, const GS& features_s, const GT& features_t, const Y& logits_t, const Coupling& coupling) const {
    using types = two_sample_types<GS, GT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: joint_distribution_transport works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, GS, GT, Y, Coupling>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    const auto of_logits = call.template output<1>(gradient<T>{});
    const inputs<T> in{const_view_of(features_s), const_view_of(features_t), const_view_of(logits_t), const_view_of(coupling)};
    return run<Call::wants_gradient>(call, in, out, of_logits);
  }

private:
  template <class T>
  struct inputs {
    matrix_view<const T> source, target, logits, coupling;
  };

  template <class T>
  static double squared_distance(const inputs<T>& in, index_t i, index_t j) {
    double sum = 0;
    for (index_t f = 0; f < in.source.cols; ++f) {
      const double apart = static_cast<double>(in.source(i, f)) - static_cast<double>(in.target(j, f));
      sum += apart * apart;
    }
    return sum;
  }

  template <class T>
  void require_inputs(const inputs<T>& in) const {
    require_two_samples(name, in.source, in.target);
    require_shapes(in.logits.rows == in.target.rows && in.logits.cols > 0, name, "logits must be (n_t, C)", in.target, in.logits);
    detail::require_labels(name, labels, in.source.rows, in.logits.cols);
    detail::require_not_negative(name, "the factor of the features", costs.features);
    detail::require_not_negative(name, "the factor of the labels", costs.labels);
  }

  /// log softmax of the target's logits, in double.
  template <class Exec, class T>
  static matrix_view<double> log_predictions(const Exec& exec, const matrix_view<const T>& logits, workspace& scratch) {
    const matrix_view<double> result = detail::copy_as<double>(exec, logits, scratch);
    backend<host_memory>::for_each_row(exec, result.rows, [&](index_t j) {
      double largest = result(j, 0), sum = 0;
      for (index_t c = 1; c < result.cols; ++c) largest = std::max(largest, result(j, c));
      for (index_t c = 0; c < result.cols; ++c) sum += std::exp(result(j, c) - largest);
      for (index_t c = 0; c < result.cols; ++c) result(j, c) = (result(j, c) - largest) - std::log(sum);
    });
    return result;
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const inputs<T>& in, const gradients<T>& out, const gradient<T>& of_logits) const {
    require_inputs(in);
    require_shapes(in.coupling.rows == in.source.rows && in.coupling.cols == in.target.rows, name, "the coupling must be (n_s, n_t)",
                   in.source, in.coupling);
    require_gradients(name, sample<T>{in.source}, sample<T>{in.target}, out);
    require_gradient_shape(name, in.logits, of_logits.target);
    require_apart(name, {in.source, in.target, in.logits, in.coupling}, {out.source, out.target, of_logits.target});
    for (index_t i = 0; i < in.coupling.rows; ++i)
      for (index_t j = 0; j < in.coupling.cols; ++j)
        if (!(in.coupling(i, j) >= T(0)) || !is_finite(in.coupling(i, j)))
          fail(name, "couplings must be finite and not negative (row " + std::to_string(i) + ", column " + std::to_string(j) + ")");
    const workspace_scope scope(call.scratch);
    const auto& exec = call.execution;
    const index_t n = in.source.rows, m = in.target.rows, classes = in.logits.cols;
    const matrix_view<double> log_p = log_predictions(exec, in.logits, call.scratch);
    // Mass of every class in the rows that each target row is coupled to.
    const matrix_view<double> mass{call.scratch.template allocate_zero<double>(m * classes), m, classes};
    backend<host_memory>::for_each_row(exec, m, [&](index_t j) {
      for (index_t i = 0; i < n; ++i)
        mass(j, static_cast<index_t>(labels[static_cast<std::size_t>(i)])) += static_cast<double>(in.coupling(i, j));
    });
    const double of_features = backend<host_memory>::sum_over_rows(
        exec, n,
        [&](index_t i) {
          double sum = 0;
          for (index_t j = 0; j < m; ++j)
            if (in.coupling(i, j) != T(0)) sum += static_cast<double>(in.coupling(i, j)) * squared_distance(in, i, j);
          return sum;
        },
        call.scratch);
    const double of_labels = backend<host_memory>::sum_over_rows(
        exec, m,
        [&](index_t j) {
          double sum = 0;
          for (index_t c = 0; c < classes; ++c)
            if (mass(j, c) > 0) sum -= mass(j, c) * log_p(j, c);
          return sum;
        },
        call.scratch);
    if constexpr (Gradient) {
      const double factor = 2 * costs.features;
      write_features(call, in.source, in.target, in.coupling, factor, out.source, out);
      write_features(call, in.target, in.source, in.coupling.transposed(), factor, out.target, out);
      write_logits(call, log_p, mass, of_logits);
    }
    return static_cast<T>(costs.features * of_features + costs.labels * of_labels);
  }

  /// factor sum_j gamma_ij (x_i - y_j) for every row i.
  template <class Call, class T>
  static void write_features(const Call& call, const matrix_view<const T>& own, const matrix_view<const T>& others,
                             const matrix_view<const T>& coupling, double factor, const matrix_view<T>& to, const gradients<T>& out) {
    if (to.data == nullptr) return;
    const matrix_view<double> sums{call.scratch.template allocate_zero<double>(own.rows * own.cols), own.rows, own.cols};
    backend<host_memory>::for_each_row(call.execution, own.rows, [&](index_t i) {
      for (index_t j = 0; j < others.rows; ++j) {
        const double gamma = static_cast<double>(coupling(i, j));
        if (gamma == 0) continue;
        for (index_t f = 0; f < own.cols; ++f) sums(i, f) += gamma * (static_cast<double>(own(i, f)) - static_cast<double>(others(j, f)));
      }
    });
    detail::write_gradient(call.execution, sums, to, static_cast<T>(factor) * out.scale, out.mode);
  }

  /// lambda (total p - mass).
  template <class Call, class T>
  void write_logits(const Call& call, const matrix_view<double>& log_p, const matrix_view<double>& mass, const gradient<T>& out) const {
    if (out.target.data == nullptr) return;
    backend<host_memory>::for_each_row(call.execution, mass.rows, [&](index_t j) {
      double total = 0;
      for (index_t c = 0; c < mass.cols; ++c) total += mass(j, c);
      for (index_t c = 0; c < mass.cols; ++c) mass(j, c) = costs.labels * (total * std::exp(log_p(j, c)) - mass(j, c));
    });
    detail::write_gradient(call.execution, mass, out.target, out.scale, out.mode);
  }
};

} // namespace dalib
