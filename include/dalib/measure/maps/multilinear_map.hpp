/// @file
/// The multilinear map of CDAN: features conditioned on class predictions.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/row/softmax.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/simd/partial_sums.hpp"

#include <string>
#include <type_traits>

namespace dalib {

namespace detail {
/// Features (n, F) and logits (n, C) of the same samples, and a result (n, cols).
template <class T, class Memory>
void require_map_shapes(const char* name, const matrix_view<const T, Memory>& features, const matrix_view<const T, Memory>& logits,
                        index_t cols, const std::type_identity_t<matrix_view<const T, Memory>>& result) {
  require_shapes(features.rows == logits.rows, name, "features and logits must have the same number of samples", features, logits);
  require_shapes(features.rows > 0 && features.cols > 0 && logits.cols > 0, name,
                 "there must be at least one sample, one feature and one class", features, logits);
  if (result.rows != features.rows || result.cols != cols)
    fail(name, "the result of " + shape_of(features) + " features and " + shape_of(logits) + " logits must be " +
                   std::to_string(features.rows) + " x " + std::to_string(cols) + " (got " + shape_of(result) + ")");
}

/// Writes h of a register of rows.
template <class T, class Memory>
struct multilinear_task {
  matrix_view<const T, Memory> f, g;
  matrix_view<T, Memory> h;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(class_rows<const T, Memory>{g}, group.first, group.count, p);
    engine::softmax_in_place(p);
    for (index_t lane = 0; lane < group.count; ++lane)
      for (index_t c = 0; c < g.cols; ++c) {
        const T share = p.data[c * p.stride + lane];
        const T* from = &f(group.first + lane, 0);
        T* to = &h(group.first + lane, c * f.cols);
        if (f.col_stride == 1 && h.col_stride == 1)
          for (index_t j = 0; j < f.cols; ++j) to[j] = share * from[j];
        else
          for (index_t j = 0; j < f.cols; ++j) to[j * h.col_stride] = share * from[j * f.col_stride];
      }
  }
};

/// Pulls an upstream gradient u of a register of rows back to f and g.
template <class T, class Memory>
struct multilinear_pull_task {
  matrix_view<const T, Memory> f, g, u;
  gradients<T, Memory> out;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slopes = scratch(1);
    engine::load_rows(class_rows<const T, Memory>{g}, group.first, group.count, p);
    engine::softmax_in_place(p);
    for (index_t lane = 0; lane < group.count; ++lane) {
      if (out.source.data) start_features(group.first + lane);
      for (index_t c = 0; c < g.cols; ++c) { // both uses of a part of the upstream gradient, one after the other
        if (out.source.data) pull_features(group.first + lane, c, out.scale * p.data[c * p.stride + lane]);
        if (out.target.data) slopes.data[c * slopes.stride + lane] = slope_of(group.first + lane, c);
      }
    }
    if (out.target.data == nullptr) return;
    for (index_t lane = group.count; lane < lanes_of<V>; ++lane) // unused lanes
      for (index_t c = 0; c < g.cols; ++c) slopes.data[c * slopes.stride + lane] = T(0);
    engine::pull_softmax(p, V(out.scale), [&](index_t c) { return slopes[c]; });
    engine::store_rows(p, group.first, group.count, class_rows<T, Memory>{out.target}, out.mode);
  }

private:
  /// Row i of dL/df is sum_c p_c u_(c F + j): its start, and the term of one class.
  DALIB_HD void start_features(index_t i) const {
    if (out.mode == write_mode::overwrite)
      for (index_t j = 0; j < out.source.cols; ++j) out.source(i, j) = T(0);
  }
  DALIB_HD void pull_features(index_t i, index_t c, T share) const {
    const index_t features = out.source.cols, step = out.source.col_stride;
    T* to = &out.source(i, 0);
    const T* from = &u(i, c * features);
    if (step == 1 && u.col_stride == 1)
      for (index_t j = 0; j < features; ++j) to[j] += share * from[j];
    else
      for (index_t j = 0; j < features; ++j) to[j * step] += share * from[j * u.col_stride];
  }

  /// dL/dp_c of row i: sum_j f_j u_(c F + j).
  DALIB_HD T slope_of(index_t i, index_t c) const {
    T totals[sum_partials<T>] = {};
    const T* features = &f(i, 0);
    const T* from = &u(i, c * f.cols);
    if (f.col_stride == 1 && u.col_stride == 1)
      for_each_partial<T>(f.cols, [&](index_t j, int part) { totals[part] += features[j] * from[j]; });
    else
      for_each_partial<T>(f.cols, [&](index_t j, int part) { totals[part] += features[j * f.col_stride] * from[j * u.col_stride]; });
    return sum_by_halves(totals);
  }
};

} // namespace detail

/// h_i = softmax(g_i) (x) f_i, flattened so that column c F + j is softmax(g_i)_c f_ij (CDAN, Long et al. 2018, eq. 6).
///
/// Features f are (n, F), logits g (n, C), h (n, C F). The softmax is fused. O(n F C), no memory beyond h.
/// @throws std::invalid_argument for empty tensors or shapes that do not fit; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f = Eigen::MatrixXd::Random(6, 5), g = Eigen::MatrixXd::Zero(6, 3); // softmax 1/3 each
/// const multilinear_map map;
/// Eigen::MatrixXd h(6, map.columns(5, 3)), gf(6, 5);
/// map(exec::serial{}, f, g, h);
/// assert(h.cols() == 15 && (3 * h.middleCols(5, 5) - f).norm() < 1e-14);
/// map.pull(exec::serial{}, f, g, Eigen::MatrixXd::Ones(6, 15).eval(), gradients{gf, matrix_view<double>{}});
/// assert((gf.array() - 1).matrix().norm() < 1e-14);
/// @endcode
struct multilinear_map {
  static constexpr const char* name = "multilinear_map";

  /// Columns of h.
  index_t columns(index_t features, index_t classes) const { return features * classes; }

  /// Writes h.
  template <class Exec, matrix_like F, matrix_like G, matrix_like H>
  void operator()(const Exec& exec, const F& features, const G& logits, H&& h) const {
    require_tensor_types<value_type_of<F>, memory_of<F>, Exec, F, G, H>();
    forward(exec, const_view_of(features), const_view_of(logits), view_of(h));
  }

  /// Pulls an upstream gradient dL/dh, times out.scale, back: dL/df into out.source, dL/dg into out.target. What is not wanted costs
  /// nothing.
  template <class Exec, matrix_like F, matrix_like G, matrix_like U, class T, class Memory>
  void pull(const Exec& exec, const F& features, const G& logits, const U& upstream, const gradients<T, Memory>& out) const {
    require_tensor_types<T, Memory, Exec, F, G, U>();
    backward(exec, const_view_of(features), const_view_of(logits), const_view_of(upstream), out);
  }

private:
  template <class Exec, class T, class Memory>
  void forward(const Exec& exec, const matrix_view<const T, Memory>& f, const matrix_view<const T, Memory>& g,
               const matrix_view<T, Memory>& h) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), h);
    require_apart(name, {f, g}, {h});
    workspace_of<Memory> scratch;
    backend<Memory>::template visit_groups<T>(exec, engine::row_problem{f.rows, 0, 1, g.cols}, detail::multilinear_task<T, Memory>{f, g, h},
                                              scratch);
  }

  template <class Exec, class T, class Memory>
  void backward(const Exec& exec, const matrix_view<const T, Memory>& f, const matrix_view<const T, Memory>& g,
                const matrix_view<const T, Memory>& u, const gradients<T, Memory>& out) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), u);
    require_gradient_shape(name, f, out.source);
    require_gradient_shape(name, g, out.target);
    require_apart(name, {f, g, u}, {out.source, out.target});
    workspace_of<Memory> scratch;
    backend<Memory>::template visit_groups<T>(exec, engine::row_problem{f.rows, 0, 2, g.cols},
                                              detail::multilinear_pull_task<T, Memory>{f, g, u, out}, scratch);
  }
};

} // namespace dalib
