/// @file
/// The randomised multilinear map of CDAN, for features and classes whose product is too large.
#pragma once

#include "dalib/core/random.hpp"
#include "dalib/engine/product.hpp"
#include "dalib/measure/maps/multilinear_map.hpp"
#include "dalib/simd/vector_in.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace dalib {

namespace detail {

/// Writes the softmax of a register of rows of logits.
template <class T, class Memory>
struct softmax_rows_task {
  class_rows<const T, Memory> logits;
  class_rows<T, Memory> to;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    engine::load_rows(logits, group.first, group.count, scratch(0));
    engine::softmax_in_place(scratch(0));
    engine::store_rows(scratch(0), group.first, group.count, to, write_mode::overwrite);
  }
};

/// Pulls a gradient with respect to a register of rows of probabilities back to their logits.
template <class T, class Memory>
struct pull_softmax_rows_task {
  class_rows<const T, Memory> probabilities, slopes;
  class_rows<T, Memory> to;
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

/// Writes entries of h from those of f R_f and p R_g.
template <class T, class Memory>
struct mapped_task {
  matrix_view<const T, Memory> left, right;
  T normaliser;
  matrix_view<T, Memory> h;

  DALIB_HD void operator()(index_t row, index_t col, index_t count) const {
    const T *l = &left(row, col), *r = &right(row, col);
    T* to = &h(row, col);
    if (h.col_stride == 1)
      for (index_t k = 0; k < count; ++k) to[k] = l[k] * r[k] * normaliser;
    else
      for (index_t k = 0; k < count; ++k) to[k * h.col_stride] = l[k] * r[k] * normaliser;
  }
};

/// Replaces entries of f R_f by dL/d(p R_g), and those of p R_g by dL/d(f R_f).
template <class T, class Memory>
struct pull_mapped_task {
  matrix_view<const T, Memory> upstream;
  T normaliser;
  matrix_view<T, Memory> left, right;

  DALIB_HD void operator()(index_t row, index_t col, index_t count) const {
    const T* u = &upstream(row, col);
    T *l = &left(row, col), *r = &right(row, col); // contiguous scratch memory
    if (upstream.col_stride == 1)
      for (index_t k = 0; k < count; ++k) pull(u[k] * normaliser, l[k], r[k]);
    else
      for (index_t k = 0; k < count; ++k) pull(u[k * upstream.col_stride] * normaliser, l[k], r[k]);
  }

private:
  DALIB_HD static void pull(T from, T& l, T& r) {
    const T own = l;
    l = from * own;
    r = from * r;
  }
};

} // namespace detail

/// h_i = 1/sqrt(d) (f_i R_f) * (softmax(g_i) R_g), elementwise product (CDAN, Long et al. 2018, eq. 7).
///
/// R_f (F, d) and R_g (C, d) have independent standard normal entries, drawn once from `seed`, never trained and part of the state:
/// a network that was trained on one pair of matrices is worthless with another. Features f are (n, F), logits g (n, C), h (n, d), all in
/// `Memory`, and so are the matrices: the same numbers for the same seed in every memory. O(n (F + C) d), memory O(d + C) for
/// a block of rows.
/// @throws std::invalid_argument for empty tensors, or F and C other than those it was made for; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f = Eigen::MatrixXd::Random(6, 5), g = Eigen::MatrixXd::Zero(6, 3);
/// const randomised_multilinear_map<double> map(5, 3, 16, 7), same(5, 3, 16, 7); // d = 16, seed 7
/// Eigen::MatrixXd h(6, map.columns(5, 3)), again(6, 16);
/// map(exec::serial{}, f, g, h);
/// same(exec::serial{}, f, g, again);
/// assert(h == again && h.norm() > 0);
/// @endcode
template <class T, class Memory = host_memory>
class randomised_multilinear_map {
  using machine = backend<Memory>;
  using view = matrix_view<const T, Memory>;
  using matrix = matrix_view<T, Memory>;

public:
  static constexpr const char* name = "randomised_multilinear_map";

  /// Copies share the matrices until one of them is written to, so that a tape may hold a copy at no cost.
  ///
  /// Draws the matrices on the host. DALIB's default is d = 1024. @throws std::invalid_argument unless all sizes are positive.
  randomised_multilinear_map(index_t features, index_t classes, index_t dimension, std::uint64_t seed)
      : features_(features), classes_(classes), dimension_(dimension) {
    if (features < 1 || classes < 1 || dimension < 1) fail(name, "features, classes and dimension must be positive");
    matrices_ = std::make_shared<matrices>(size_of(features, dimension), size_of(classes, dimension));
    std::uint64_t counter = 0;
    for (const matrix& each : {feature_matrix(), class_matrix()}) {
      std::vector<T> drawn(size_of(each.rows, dimension));
      for (T& number : drawn) number = static_cast<T>(standard_normal(seed, counter++));
      set(each, drawn);
    }
  }

  /// The same map as one for tensors in another memory.
  template <class Other>
  requires(!std::is_same_v<Other, Memory>)
  explicit randomised_multilinear_map(const randomised_multilinear_map<T, Other>& other)
      : features_(other.features_), classes_(other.classes_), dimension_(other.dimension_),
        matrices_(std::make_shared<matrices>(size_of(features_, dimension_), size_of(classes_, dimension_))) {
    set(feature_matrix(), other.on_host(other.feature_matrix()));
    set(class_matrix(), other.on_host(other.class_matrix()));
  }

  /// R_f (F, d) and R_g (C, d); writable, to set them to given numbers.
  matrix feature_matrix() { return {own().features.data(), features_, dimension_}; }
  matrix class_matrix() { return {own().classes.data(), classes_, dimension_}; }
  view feature_matrix() const { return {std::as_const(*matrices_).features.data(), features_, dimension_}; }
  view class_matrix() const { return {std::as_const(*matrices_).classes.data(), classes_, dimension_}; }

  /// Shows both matrices, row-major, on the host, to a checkpoint visitor, which may change them: visitor("R_f", {F, d}, span),
  /// visitor("R_g", {C, d}, span).
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visit(visitor, "R_f", feature_matrix());
    visit(visitor, "R_g", class_matrix());
  }

  /// Columns of h. @throws std::invalid_argument for other sizes than the map's.
  index_t columns(index_t features, index_t classes) const {
    if (features != features_ || classes != classes_)
      fail(name, "was made for " + std::to_string(features_) + " features and " + std::to_string(classes_) + " classes (got " +
                     std::to_string(features) + " and " + std::to_string(classes) + ")");
    return dimension_;
  }

  /// 1 / sqrt(d).
  T normaliser() const { return static_cast<T>(1 / std::sqrt(static_cast<double>(dimension_))); }

  /// Writes h.
  template <class Exec, matrix_like F, matrix_like G, matrix_like H>
  void operator()(const Exec& exec, const F& features, const G& logits, H&& h) const {
    workspace_of<Memory> scratch;
    (*this)(exec, features, logits, h, scratch);
  }
  template <class Exec, matrix_like F, matrix_like G, matrix_like H>
  void operator()(const Exec& exec, const F& features, const G& logits, H&& h, workspace_of<Memory>& scratch) const {
    require_tensor_types<T, Memory, Exec, F, G, H>();
    forward(exec, const_view_of(features), const_view_of(logits), view_of(h), scratch);
  }

  /// Pulls an upstream gradient dL/dh, times out.scale, back: dL/df into out.source, dL/dg into out.target.
  template <class Exec, matrix_like F, matrix_like G, matrix_like U>
  void pull(const Exec& exec, const F& features, const G& logits, const U& upstream, const gradients<T, Memory>& out) const {
    workspace_of<Memory> scratch;
    pull(exec, features, logits, upstream, out, scratch);
  }
  template <class Exec, matrix_like F, matrix_like G, matrix_like U>
  void pull(const Exec& exec, const F& features, const G& logits, const U& upstream, const gradients<T, Memory>& out,
            workspace_of<Memory>& scratch) const {
    require_tensor_types<T, Memory, Exec, F, G, U>();
    backward(exec, const_view_of(features), const_view_of(logits), const_view_of(upstream), out, scratch);
  }

private:
  struct matrices {
    vector_in<Memory, T> features, classes;
    matrices(std::size_t feature_entries, std::size_t class_entries) : features(feature_entries), classes(class_entries) {}
  };
  template <class OtherT, class OtherMemory>
  friend class randomised_multilinear_map;

  static std::size_t size_of(index_t rows, index_t cols) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }

  static std::vector<T> on_host(const view& contents) {
    std::vector<T> values(size_of(contents.rows, contents.cols));
    machine::copy_to_host(typename machine::execution{}, contents.data, contents.rows * contents.cols, values.data());
    return values;
  }
  static void set(const matrix& contents, const std::vector<T>& values) {
    machine::copy_from_host(typename machine::execution{}, values.data(), contents.rows * contents.cols, contents.data);
  }
  template <class Visitor>
  static void visit(Visitor&& visitor, const char* which, const matrix& contents) {
    std::vector<T> values = on_host(contents);
    visitor(which, {contents.rows, contents.cols}, std::span<T>(values));
    set(contents, values);
  }

  /// In scratch memory: (n, C) probabilities, (n, d) products f R_f and p R_g.
  struct factors {
    matrix probabilities, left, right;
  };
  template <class Exec>
  factors find_factors(const Exec& exec, const view& f, const view& g, workspace_of<Memory>& scratch) const {
    const auto rows_of = [&](index_t cols) { return matrix(scratch.template allocate<T>(f.rows * cols), f.rows, cols); };
    const factors result{rows_of(classes_), rows_of(dimension_), rows_of(dimension_)};
    backend<Memory>::template visit_groups<T>(exec, engine::row_problem{g.rows, 0, 1, g.cols},
                                              detail::softmax_rows_task<T, Memory>{{g}, {result.probabilities}}, scratch);
    engine::product(exec, f, feature_matrix(), result.left, {}, scratch);
    engine::product(exec, result.probabilities, class_matrix(), result.right, {}, scratch);
    return result;
  }

  /// Calls visit(first, count) for blocks of rows whose factors stay in a cache from one pass to the next.
  template <class Exec, class Visit>
  void for_each_block(const Exec& exec, index_t rows, workspace_of<Memory>& scratch, const Visit& visit) const {
    const index_t row_bytes = 2 * (dimension_ + classes_) * static_cast<index_t>(sizeof(T));
    const index_t most = std::max<index_t>(1, machine::cached_bytes / row_bytes), blocks = (rows + most - 1) / most;
    const index_t block = (rows + blocks - 1) / blocks; // of one size: each block copies the matrices into the caches once more
    const workspace_scope scope(scratch);
    for (index_t first = 0; first < rows; first += block) {
      const workspace_mark mark(scratch);
      visit(first, std::min(block, rows - first));
    }
    machine::synchronise(exec); // the scratch memory goes
  }

  template <class Exec>
  void forward(const Exec& exec, const view& f, const view& g, const matrix& h, workspace_of<Memory>& scratch) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), h);
    require_apart(name, {f, g}, {h});
    for_each_block(exec, f.rows, scratch, [&](index_t first, index_t count) {
      const factors all = find_factors(exec, f.rows_from(first, count), g.rows_from(first, count), scratch);
      machine::for_each_entry(exec, count, h.cols,
                              detail::mapped_task<T, Memory>{all.left, all.right, normaliser(), h.rows_from(first, count)});
    });
  }

  template <class Exec>
  void backward(const Exec& exec, const view& f, const view& g, const view& u, const gradients<T, Memory>& out,
                workspace_of<Memory>& scratch) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), u);
    require_gradient_shape(name, f, out.source);
    require_gradient_shape(name, g, out.target);
    require_apart(name, {f, g, u}, {out.source, out.target});
    for_each_block(exec, f.rows, scratch, [&](index_t first, index_t count) {
      const factors all = find_factors(exec, f.rows_from(first, count), g.rows_from(first, count), scratch);
      machine::for_each_entry(
          exec, count, u.cols, detail::pull_mapped_task<T, Memory>{u.rows_from(first, count), normaliser(), all.left, all.right});
      if (out.source.data)
        engine::product(exec, all.right, feature_matrix().transposed(), out.source.rows_from(first, count),
                        {out.scale, out.mode == write_mode::accumulate ? T(1) : T(0)}, scratch);
      if (out.target.data) pull_logits(exec, all, out.target.rows_from(first, count), out.scale, out.mode, scratch);
    });
  }

  template <class Exec>
  void pull_logits(const Exec& exec, const factors& all, const matrix& to, T scale, write_mode mode, workspace_of<Memory>& scratch) const {
    const matrix slopes(scratch.template allocate<T>(to.rows * to.cols), to.rows, to.cols);
    engine::product(exec, all.left, class_matrix().transposed(), slopes, {}, scratch);
    backend<Memory>::template visit_groups<T>(exec, engine::row_problem{to.rows, 0, 2, to.cols},
                                              detail::pull_softmax_rows_task<T, Memory>{{all.probabilities}, {slopes}, {to}, scale, mode},
                                              scratch);
  }

  /// The matrices for writing: a copy of their own if another map has them too.
  matrices& own() {
    if (matrices_.use_count() > 1) matrices_ = std::make_shared<matrices>(*matrices_);
    return *matrices_;
  }

  index_t features_, classes_, dimension_;
  std::shared_ptr<matrices> matrices_;
};

} // namespace dalib
