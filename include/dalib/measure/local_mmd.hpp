/// @file
/// Local MMD: the MMD within each class.
#pragma once

#include "dalib/measure/class_pairs.hpp"
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
/// target rows; labels are the source's. It is a sum over pairs by the pairwise engine, which leaves out tiles of source rows of different
/// classes: O(n_s^2 F / C + n_s n_t F + n_t^2 (F + C)), and a sorted copy of the source's rows where they are many and in no order. If no
/// class is in use it is 0.
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
    const class_use use = use_of(p, scratch);
    result.used = use.used;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t c = labels[i];
      if (use.of_source[c] > 0) result.source[i * static_cast<std::size_t>(p.cols) + static_cast<std::size_t>(c)] = 1 / use.of_source[c];
    }
    for (index_t i = 0; i < p.rows; ++i)
      for (index_t c = 0; c < p.cols; ++c) result.target[static_cast<std::size_t>(i * p.cols + c)] = use.weight(p(i, c), c);
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
  /// Up to this many source rows all pairs are cheaper than a sorted copy.
  static constexpr index_t least_sorted = 64;

  /// What weights are made of: for each class in use its source rows and the sum of its probabilities, 0 for the others.
  struct class_use {
    double *of_source, *of_target;
    index_t used;

    template <class T>
    double weight(T probability, index_t c) const {
      return of_target[c] > 0 ? static_cast<double>(probability) / of_target[c] : 0;
    }
  };
  template <class T>
  class_use use_of(const matrix_view<const T>& p, workspace& scratch) const {
    const index_t count = p.cols;
    double* const numbers = scratch.template allocate_zero<double>(3 * count);
    const class_use use{numbers, numbers + count, 0};
    double* const in_target = numbers + 2 * count; // whether it is any target row's most probable class
    for (const std::int64_t label : labels) use.of_source[label] += 1;
    for (index_t i = 0; i < p.rows; ++i) {
      index_t best = 0;
      for (index_t c = 0; c < count; ++c) {
        use.of_target[c] += static_cast<double>(p(i, c));
        if (p(i, c) > p(i, best)) best = c;
      }
      in_target[best] = 1;
    }
    index_t used = 0;
    for (index_t c = 0; c < count; ++c) {
      if (use.of_source[c] > 0 && (classes == local_classes::source || in_target[c] > 0))
        ++used;
      else
        use.of_source[c] = use.of_target[c] = 0;
    }
    return {use.of_source, use.of_target, used};
  }

  /// @param order  the source's rows by class, if they are sorted
  template <class T>
  detail::class_coefficients<T> coefficients_of(const class_use& use, const matrix_view<const T>& p, const index_t* order,
                                                workspace& scratch) const {
    const auto rows = static_cast<index_t>(labels.size()), stride = detail::class_coefficients<T>::stride_for(p.rows);
    index_t* const in_order = scratch.template allocate<index_t>(rows);
    T *const share = scratch.template allocate<T>(p.cols), *const of_target = scratch.template allocate_zero<T>(p.cols * stride);
    for (index_t i = 0; i < rows; ++i) in_order[i] = static_cast<index_t>(labels[static_cast<std::size_t>(order ? order[i] : i)]);
    for (index_t c = 0; c < p.cols; ++c) share[c] = use.of_source[c] > 0 ? static_cast<T>(1 / use.of_source[c]) : T(0);
    for (index_t i = 0; i < p.rows; ++i)
      for (index_t c = 0; c < p.cols; ++c) of_target[c * stride + i] = static_cast<T>(use.weight(p(i, c), c));
    return {in_order,
            rows,
            p.rows,
            p.cols,
            share,
            of_target,
            stride,
            static_cast<T>(1 / static_cast<double>(use.used)),
            std::is_sorted(in_order, in_order + rows)};
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
    const class_use use = use_of(p, call.scratch);
    if (use.used == 0) {
      if (Gradient && out.mode == write_mode::overwrite) {
        engine::clear(out.source);
        engine::clear(out.target);
      }
      return T(0);
    }
    if (source.rows < least_sorted || std::is_sorted(labels.begin(), labels.end()))
      return static_cast<T>(of_rows<Gradient>(call, {{source}, {target}}, out, coefficients_of(use, p, nullptr, call.scratch)));
    auto by_class = detail::rows_by_class<T>::sorted(call.execution, source, labels, p.cols, call.scratch);
    auto own = out;
    if (Gradient && out.source.data) own.source = by_class.gradient = detail::scratch_matrix<T>(call.scratch, source.rows, source.cols);
    if (out.mode == write_mode::accumulate && own.source.data) engine::clear(own.source);
    const double value = of_rows<Gradient>(call, {{by_class.rows}, {target}}, own, coefficients_of(use, p, by_class.order, call.scratch));
    if constexpr (Gradient) by_class.scatter(call.execution, out.source, T(1), out.mode);
    return static_cast<T>(value);
  }

  template <bool Gradient, class Call, class T>
  double of_rows(const Call& call, const engine::joint_sample<T>& data, const gradients<T>& out,
                 const detail::class_coefficients<T>& coefficients) const {
    const kernel::gaussian_ladder ladder(0.125, 5, detail::pooled_scale{static_cast<double>(data.rows()), scale});
    const engine::bound_problem problem(
        call.execution, call.scratch, engine::layer_input<T, std::remove_const_t<decltype(ladder)>>{data, ladder, out.source, out.target});
    return engine::with_units(call.execution, name, problem.layers(), call.scratch, [&](const auto& layers) {
      return engine::pairwise_sum<Gradient, accumulator::plain>(call.execution, coefficients, layers,
                                                                engine::gradient_rule<T>{out.scale, out.mode}, call.scratch);
    });
  }
};

} // namespace dalib
