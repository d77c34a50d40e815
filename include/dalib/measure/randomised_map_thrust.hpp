/// @file
/// CDAN's randomised multilinear map in device memory.
#pragma once

#include "dalib/engine/thrust/products.hpp"
#include "dalib/engine/thrust/rowwise.hpp"
#include "dalib/measure/randomised_multilinear_map.hpp"
#include "dalib/tensor/thrust.hpp"

#include <cstdint>

namespace dalib {

namespace detail {

/// Writes the softmax of a row of logits.
template <class T>
struct softmax_rows_task {
  class_rows<const T, device_memory> logits;
  class_rows<T, device_memory> to;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    engine::load_rows(logits, group.first, group.count, scratch(0));
    engine::softmax_in_place(scratch(0));
    engine::store_rows(scratch(0), group.first, group.count, to, write_mode::overwrite);
  }
};

/// Pulls a gradient with respect to a row of probabilities back to its logits.
template <class T>
struct pull_softmax_rows_task {
  class_rows<const T, device_memory> probabilities, slopes;
  class_rows<T, device_memory> to;
  T scale;
  write_mode mode;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), slope = scratch(1);
    engine::load_rows(probabilities, group.first, group.count, p);
    engine::load_rows(slopes, group.first, group.count, slope);
    engine::pull_softmax(p, V(scale), [&](index_t c) { return slope[c]; });
    engine::store_rows(p, group.first, group.count, to, mode);
  }
};

/// One element of h: task = row * d + k.
template <class T>
struct mapped_task {
  const T* left;
  const T* right;
  T normaliser;
  matrix_view<T, device_memory> h;
  DALIB_HD void operator()(index_t task) const { h(task / h.cols, task % h.cols) = mapped(left[task], right[task], normaliser); }
};

template <class T>
struct pull_mapped_task {
  matrix_view<const T, device_memory> upstream;
  T normaliser;
  T* left;
  T* right;
  DALIB_HD void operator()(index_t task) const {
    pull_mapped(upstream(task / upstream.cols, task % upstream.cols), normaliser, left[task], right[task]);
  }
};

/// to(i, j) = scale * from(i, j), or += that.
template <class T>
struct put_task {
  const T* from;
  T scale;
  bool accumulate;
  matrix_view<T, device_memory> to;
  DALIB_HD void operator()(index_t task) const {
    T& element = to(task / to.cols, task % to.cols);
    element = accumulate ? element + scale * from[task] : scale * from[task];
  }
};

} // namespace detail

/// randomised_multilinear_map on device tensors, with the same matrices for the same seed: they are drawn on the host and copied. The
/// products are the device's.
template <class T>
class randomised_multilinear_map<T, device_memory> {
public:
  using host_map = randomised_multilinear_map<T, host_memory>;
  static constexpr const char* name = host_map::name;

  randomised_multilinear_map(index_t features, index_t classes, index_t dimension, std::uint64_t seed)
      : randomised_multilinear_map(host_map(features, classes, dimension, seed)) {}
  /// The same map as one on the host.
  explicit randomised_multilinear_map(host_map map)
      : map_(std::move(map)), features_(map_.feature_matrix()), classes_(map_.class_matrix()) {}

  /// R_f (F, d) and R_g (C, d) in device memory.
  matrix_view<const T, device_memory> feature_matrix() const { return const_view_of(features_); }
  matrix_view<const T, device_memory> class_matrix() const { return const_view_of(classes_); }
  /// The map on the host, for a checkpoint.
  const host_map& on_host() const { return map_; }

  /// Columns of h. @throws std::invalid_argument for other sizes than the map's.
  index_t columns(index_t features, index_t classes) const { return map_.columns(features, classes); }

  /// Writes h.
  template <matrix_like F, matrix_like G, matrix_like H>
  void operator()(const exec::thrust& exec, const F& features, const G& logits, H&& h) const {
    require_tensor_types<T, device_memory, exec::thrust, F, G, H>();
    const view f = const_view_of(features), g = const_view_of(logits);
    const matrix_view<T, device_memory> to = view_of(h);
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), to);
    require_apart(name, {f, g}, {to});
    device_workspace memory;
    const factors all = find_factors(exec, f, g, memory);
    exec.run(to.rows * to.cols, detail::mapped_task<T>{all.left, all.right, map_.normaliser(), to});
    exec.synchronise(); // the scratch memory goes
  }

  /// Pulls an upstream gradient dL/dh, times out.scale, back: dL/df into out.source, dL/dg into out.target.
  template <matrix_like F, matrix_like G, matrix_like U>
  void pull(const exec::thrust& exec, const F& features, const G& logits, const U& upstream, const gradients<T, device_memory>& out) const {
    require_tensor_types<T, device_memory, exec::thrust, F, G, U>();
    const view f = const_view_of(features), g = const_view_of(logits), u = const_view_of(upstream);
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), u);
    require_gradient_shape(name, f, out.source);
    require_gradient_shape(name, g, out.target);
    require_apart(name, {f, g, u}, {out.source, out.target});
    device_workspace memory;
    const factors all = find_factors(exec, f, g, memory);
    T* pulled_f = memory.allocate<T>(f.rows * f.cols);
    T* slopes = memory.allocate<T>(g.rows * g.cols);
    exec.run(u.rows * u.cols, detail::pull_mapped_task<T>{u, map_.normaliser(), all.left, all.right});
    if (out.source.data) {
      pull_factor(exec, all.right, f.rows, features_, pulled_f);
      exec.run(f.rows * f.cols, detail::put_task<T>{pulled_f, out.scale, out.mode == write_mode::accumulate, out.source});
    }
    if (out.target.data) {
      pull_factor(exec, all.left, g.rows, classes_, slopes);
      engine::visit_groups<T>(
          exec, engine::row_problem{g.rows, 0, 2, g.cols},
          detail::pull_softmax_rows_task<T>{
              {view(all.probabilities, g.rows, g.cols)}, {view(slopes, g.rows, g.cols)}, {out.target}, out.scale, out.mode});
    }
    exec.synchronise(); // the scratch memory goes
  }

private:
  using view = matrix_view<const T, device_memory>;

  /// (n, C) probabilities, (n, d) products f R_f and p R_g.
  struct factors {
    T* probabilities;
    T* left;
    T* right;
  };

  factors find_factors(const exec::thrust& exec, const view& f, const view& g, device_workspace& memory) const {
    const index_t dimension = features_.cols();
    const factors result{memory.allocate<T>(g.rows * g.cols), memory.allocate<T>(f.rows * dimension),
                         memory.allocate<T>(f.rows * dimension)};
    engine::visit_groups<T>(exec, engine::row_problem{g.rows, 0, 1, g.cols},
                            detail::softmax_rows_task<T>{{g}, {matrix_view<T, device_memory>(result.probabilities, g.rows, g.cols)}});
    const T* rows = f.data;
    index_t stride = f.row_stride;
    if (f.col_stride != 1 || f.row_stride < f.cols) {
      T* packed = memory.allocate<T>(f.rows * f.cols);
      exec.run(f.rows * f.cols, detail::copy_task<T>{f, matrix_view<T, device_memory>(packed, f.rows, f.cols)});
      rows = packed;
      stride = f.cols;
    }
    apply(exec, rows, stride, f.rows, features_, result.left);
    apply(exec, result.probabilities, g.cols, g.rows, classes_, result.right);
    return result;
  }

  /// to (n, d) = rows (n, m) matrix (m, d); row-major matrices are transposed ones stored by columns.
  static void apply(const exec::thrust& exec, const T* rows, index_t stride, index_t count, const device_matrix<T>& matrix, T* to) {
    const index_t depth = matrix.rows(), dimension = matrix.cols();
    engine::device_product<T>(exec, dimension, count, depth, {matrix.data(), dimension}, {rows, stride}, to, dimension, false);
  }
  /// to (n, m) = rows (n, d) matrix^T (d, m).
  static void pull_factor(const exec::thrust& exec, const T* rows, index_t count, const device_matrix<T>& matrix, T* to) {
    const index_t width = matrix.rows(), dimension = matrix.cols();
    engine::device_product<T>(exec, width, count, dimension, {matrix.data(), dimension, true}, {rows, dimension}, to, width, false);
  }

  host_map map_;
  device_matrix<T> features_, classes_;
};

} // namespace dalib
