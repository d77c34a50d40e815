/// @file
/// Local MMD: the MMD within each class.
#pragma once

#include "dalib/kernel/linear.hpp"
#include "dalib/measure/class_labels.hpp"
#include "dalib/measure/mmd.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace dalib {

namespace detail {

/// sigma^2 of a ladder as DSAN and CAN have it: the mean squared distance of the pairs of different rows, or a given number.
struct pooled_scale {
  double rows;
  double given = 0; ///< if not 0

  template <class Data>
  double squared_scale(const Data& data) const {
    if (given > 0) return given;
    return bandwidth::mean{rows > 1 ? rows / (rows - 1) : 1}.squared_scale(data);
  }
};

/// Every pair counts as its weights' inner product says: + within a domain, - across.
struct signed_pairs {
  double factor;
  pair_coefficients coefficients(const sample_sizes&) const { return {factor, factor, -factor, false, 0}; }
};

} // namespace detail

/// Which classes local_mmd compares.
enum class local_classes {
  shared, ///< labels of the source that are also the most probable class of a target row: the authors' code
  source  ///< all labels of the source batch; the paper's 1/C where all classes are in it
};

/// How much each row counts in each class: (n, C) row by row.
///
/// @code{.cpp}
/// const std::vector<std::int64_t> labels = {0, 0, 1};
/// const Eigen::MatrixXd p_t = Eigen::MatrixXd::Constant(2, 3, 1.0 / 3);
/// const local_weights w = local_mmd{labels, local_classes::source}.weights(p_t);
/// assert(w.used == 2 && w.source == (std::vector<double>{0.5, 0, 0, 0.5, 0, 0, 0, 1, 0}) && w.target[0] == 0.5 && w.target[2] == 0);
/// @endcode
struct local_weights {
  std::vector<double> source, target; ///< every column in use has sum 1, the others are 0
  index_t used;                       ///< number of classes in use
};

/// Local maximum mean discrepancy (LMMD of DSAN, Zhu et al. 2020, eq. 6-8): for each class c in use, the MMD between the source rows of
/// that class and the target rows weighted by their probability of it, averaged over the classes in use,
///
///     1/|used| sum_c w_c' K w_c,   w_c = (1[label = c] / count; -p_t[:, c] / sum) on [z_s; z_t]
///
/// with the kernel K = sum_{i=0..4} exp(-|x - y|^2 / (b 2^(i-2))), b the mean squared distance of the pairs of different rows, or `scale`;
/// it is detached, and so are the weights: no gradient to p_t. Inputs are z_s (n_s, F), z_t (n_t, F) and p_t (n_t, C), probabilities of the
/// target rows; labels are the source's. The sum is that of a product of two kernels, of rows and of weights: O((n_s + n_t)^2 (F + C)) by
/// the pairwise engine. If no class is in use it is 0.
/// @throws std::invalid_argument for empty domains, shapes that do not fit, labels that are not n_s or not in 0 .. C - 1, a negative scale.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(8, 3), z_t = Eigen::MatrixXd::Random(6, 3);
/// const Eigen::MatrixXd p_t = Eigen::MatrixXd::Constant(6, 1, 1); // one class: the biased MMD
/// const std::vector<std::int64_t> labels(8, 0);
/// const mmd plain{kernel::gaussian_ladder{0.125, 5, bandwidth::mean{14.0 / 13}}, estimator::biased{}};
/// assert(std::abs(local_mmd{labels}(z_s, z_t, p_t) - plain(z_s, z_t)) < 1e-13);
/// @endcode
struct local_mmd : call_forms<local_mmd> {
  static constexpr const char* name = "local_mmd";
  static constexpr std::size_t arity = 3;
  static constexpr std::array<const char*, 3> argument_names = {"the source", "the target", "the target's probabilities"};
  using differentiable = std::index_sequence<0, 1>;

  label_span labels;
  local_classes classes;
  double scale; ///< b; 0: from the data

  explicit local_mmd(label_span of_source, local_classes which = local_classes::shared, double fixed_scale = 0)
      : labels(of_source), classes(which), scale(fixed_scale) {}

  /// The weights of all rows for these probabilities.
  template <matrix_like P>
  local_weights weights(const P& probabilities) const {
    const auto p = const_view_of(probabilities);
    detail::require_labels(name, labels, static_cast<index_t>(labels.size()), p.cols);
    const auto count = labels.size() * static_cast<std::size_t>(p.cols), others = static_cast<std::size_t>(p.rows * p.cols);
    local_weights result{std::vector<double>(count), std::vector<double>(others), 0};
    workspace scratch;
    result.used = fill_weights(p, result.source.data(), result.target.data(), scratch);
    return result;
  }

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT, class P>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt, const P& probabilities) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: local_mmd works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, ZS, ZT, P>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call, const_view_of(zs), const_view_of(zt), const_view_of(probabilities), out);
  }

private:
  /// The weights row by row; returns how many classes are in use.
  template <class T, class Number>
  index_t fill_weights(const matrix_view<const T>& p, Number* of_source, Number* of_target, workspace& scratch) const {
    const workspace_mark mark(scratch);
    const index_t count = p.cols, rows_s = static_cast<index_t>(labels.size());
    double* const in_source = scratch.template allocate_zero<double>(3 * count); // rows of the class; sums; whether a target row has it
    double *const sums = in_source + count, *const in_target = sums + count;
    for (const std::int64_t label : labels) in_source[label] += 1;
    for (index_t i = 0; i < p.rows; ++i) {
      index_t best = 0;
      for (index_t c = 0; c < count; ++c) {
        sums[c] += static_cast<double>(p(i, c));
        if (p(i, c) > p(i, best)) best = c;
      }
      in_target[best] = 1;
    }
    index_t used = 0;
    for (index_t c = 0; c < count; ++c) {
      const bool counts = in_source[c] > 0 && (classes == local_classes::source || in_target[c] > 0);
      used += counts ? 1 : 0;
      for (index_t i = 0; i < rows_s; ++i)
        of_source[i * count + c] = static_cast<Number>(counts && labels[static_cast<std::size_t>(i)] == c ? 1 / in_source[c] : 0);
      for (index_t i = 0; i < p.rows; ++i)
        of_target[i * count + c] = static_cast<Number>(counts && sums[c] > 0 ? static_cast<double>(p(i, c)) / sums[c] : 0);
    }
    return used;
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target, const matrix_view<const T>& p,
        const gradients<T>& out) const {
    require_two_samples(name, source, target);
    require_gradients(name, sample<T>{source}, sample<T>{target}, out);
    require_shapes(p.rows == target.rows && p.cols > 0, name, "the probabilities must be (n_t, C)", target, p);
    require_apart(name, {p}, {out.source, out.target});
    detail::require_labels(name, labels, source.rows, p.cols);
    detail::require_not_negative(name, "the scale", scale);
    const workspace_scope scope(call.scratch);
    const auto of_source = detail::scratch_matrix<T>(call.scratch, source.rows, p.cols);
    const auto of_target = detail::scratch_matrix<T>(call.scratch, target.rows, p.cols);
    const index_t used = fill_weights(p, of_source.data, of_target.data, call.scratch);
    if (used == 0) {
      if (Gradient && out.mode == write_mode::overwrite) {
        engine::clear(out.source);
        engine::clear(out.target);
      }
      return T(0);
    }
    const auto rows = static_cast<double>(source.rows + target.rows);
    const kernel::gaussian_ladder ladder(0.125, 5, detail::pooled_scale{rows, scale});
    const engine::bound_problem problem(
        call.execution, call.scratch,
        engine::layer_input<T, std::remove_const_t<decltype(ladder)>>{{{source}, {target}}, ladder, out.source, out.target},
        engine::layer_input<T, kernel::linear>{{sample<T>{of_source}, sample<T>{of_target}}, {}, {}, {}});
    return static_cast<T>(engine::estimate_bound<Gradient, accumulator::plain>(
        call.execution, detail::signed_pairs{1 / static_cast<double>(used)}, problem.layers(),
        engine::estimate_rule<T>{name, out.scale, out.mode}, call.scratch));
  }
};

} // namespace dalib
