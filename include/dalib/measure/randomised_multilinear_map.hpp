/// @file
/// The randomised multilinear map of CDAN, for features and classes whose product is too large.
#pragma once

#include "dalib/core/random.hpp"
#include "dalib/engine/column_product.hpp"
#include "dalib/measure/multilinear_map.hpp"

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dalib {

namespace detail {

/// One element of h from those of f R_f and p R_g.
template <class V>
DALIB_HD V mapped(const V& left, const V& right, const V& normaliser) {
  return left * right * normaliser;
}
/// left becomes dL/d(p R_g), right dL/d(f R_f).
template <class V>
DALIB_HD void pull_mapped(const V& upstream, const V& normaliser, V& left, V& right) {
  const V from = upstream * normaliser;
  left = from * left;
  right = from * right;
}

} // namespace detail

/// h_i = 1/sqrt(d) (f_i R_f) * (softmax(g_i) R_g), elementwise product (CDAN, Long et al. 2018, eq. 7).
///
/// R_f (F, d) and R_g (C, d) have independent standard normal entries, drawn once from `seed`, never trained and part of the state:
/// a network that was trained on one pair of matrices is worthless with another. Features f are (n, F), logits g (n, C), h (n, d).
/// O(n (F + C) d), memory O((F + C + d) registers) per thread.
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
class randomised_multilinear_map;

template <class T>
class randomised_multilinear_map<T, host_memory> {
public:
  static constexpr const char* name = "randomised_multilinear_map";

  /// Copies share the matrices until one of them is written to, so that a tape may hold a copy at no cost.
  ///
  /// Draws the matrices. DALIB's default is d = 1024. @throws std::invalid_argument unless all sizes are positive.
  randomised_multilinear_map(index_t features, index_t classes, index_t dimension, std::uint64_t seed)
      : features_(features), classes_(classes), dimension_(dimension) {
    if (features < 1 || classes < 1 || dimension < 1) fail(name, "features, classes and dimension must be positive");
    stride_ = padded(dimension);
    matrices_ = std::make_shared<matrices>();
    matrices_->features.resize(static_cast<std::size_t>(padded(features) * stride_));
    matrices_->classes.resize(static_cast<std::size_t>(padded(classes) * stride_));
    fill(feature_matrix(), seed, 0);
    fill(class_matrix(), seed, static_cast<std::uint64_t>(features * dimension));
  }

  /// R_f (F, d) and R_g (C, d); writable, to set them to given numbers.
  matrix_view<T> feature_matrix() { return {own().features.data(), features_, dimension_, stride_, 1}; }
  matrix_view<T> class_matrix() { return {own().classes.data(), classes_, dimension_, stride_, 1}; }

  /// Shows both matrices to a checkpoint visitor: visitor("R_f", {F, d}, span), visitor("R_g", {C, d}, span), row-major.
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
    forward(exec, const_view_of(features), const_view_of(logits), view_of(h));
  }

  /// Pulls an upstream gradient dL/dh, times out.scale, back: dL/df into out.source, dL/dg into out.target.
  template <class Exec, matrix_like F, matrix_like G, matrix_like U>
  void pull(const Exec& exec, const F& features, const G& logits, const U& upstream, const gradients<T>& out) const {
    backward(exec, const_view_of(features), const_view_of(logits), const_view_of(upstream), out);
  }

private:
  using column = engine::class_column<pack<T>>;
  using operand = engine::broadcast_operand<T>;

  static index_t padded(index_t count) { return (count + engine::product_unit - 1) / engine::product_unit * engine::product_unit; }

  static void fill(const matrix_view<T>& matrix, std::uint64_t seed, std::uint64_t first) {
    for (index_t i = 0; i < matrix.rows; ++i)
      for (index_t k = 0; k < matrix.cols; ++k)
        matrix(i, k) = static_cast<T>(standard_normal(seed, first + static_cast<std::uint64_t>(i * matrix.cols + k)));
  }

  template <class Visitor>
  static void visit(Visitor&& visitor, const char* which, const matrix_view<T>& matrix) {
    std::vector<T> values(static_cast<std::size_t>(matrix.rows * matrix.cols));
    const auto at = [&](index_t i, index_t k) -> T& { return values[static_cast<std::size_t>(i * matrix.cols + k)]; };
    for (index_t i = 0; i < matrix.rows; ++i)
      for (index_t k = 0; k < matrix.cols; ++k) at(i, k) = matrix(i, k);
    visitor(which, {matrix.rows, matrix.cols}, std::span<T>(values));
    for (index_t i = 0; i < matrix.rows; ++i)
      for (index_t k = 0; k < matrix.cols; ++k) matrix(i, k) = at(i, k);
  }

  /// One worker's registers of rows: features and their gradient, probabilities and their slopes, and both factors of h.
  struct registers {
    column features, probabilities, slopes, left, right;
  };
  index_t register_rows() const { return padded(features_) + 2 * padded(classes_) + 2 * stride_; }
  registers registers_of(const column& memory) const {
    index_t used = 0;
    const auto part = [&](index_t count, index_t memory_rows) {
      const column result{memory.data + used * memory.stride, memory.stride, count};
      used += memory_rows;
      return result;
    };
    return {part(features_, padded(features_)), part(classes_, padded(classes_)), part(classes_, padded(classes_)), part(stride_, stride_),
            part(stride_, stride_)};
  }

  /// Loads a group of rows and computes left = f R_f and right = p R_g.
  void load_factors(const registers& r, const engine::row_group& group, const matrix_view<const T>& f,
                    const matrix_view<const T>& g) const {
    engine::load_rows(class_rows<const T>{f}, group.first, group.count, r.features);
    engine::load_rows(class_rows<const T>{g}, group.first, group.count, r.probabilities);
    engine::softmax_in_place(r.probabilities);
    engine::column_product(r.features, operand{matrices_->features.data(), 1, stride_}, r.left);
    engine::column_product(r.probabilities, operand{matrices_->classes.data(), 1, stride_}, r.right);
  }

  template <class Exec>
  void forward(const Exec& exec, const matrix_view<const T>& f, const matrix_view<const T>& g, const matrix_view<T>& h) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), h);
    require_apart(name, {f, g}, {h});
    workspace memory;
    const engine::row_groups groups{{f.rows, 0, 1, register_rows()}, simd_lanes<T>};
    const engine::worker_scratch<T> scratch(memory, exec.workers(), groups.rows);
    exec.run(groups.count(), [&](index_t task, int worker) {
      const registers r = registers_of(scratch(worker)(0));
      load_factors(r, groups[task], f, g);
      for (index_t k = 0; k < dimension_; ++k) r.left.set(k, detail::mapped(r.left[k], r.right[k], pack<T>(normaliser())));
      engine::store_rows(column{r.left.data, r.left.stride, dimension_}, groups[task].first, groups[task].count, class_rows<T>{h},
                         write_mode::overwrite);
    });
  }

  template <class Exec>
  void backward(const Exec& exec, const matrix_view<const T>& f, const matrix_view<const T>& g, const matrix_view<const T>& u,
                const gradients<T>& out) const {
    detail::require_map_shapes(name, f, g, columns(f.cols, g.cols), u);
    require_gradient_shape(name, f, out.source);
    require_gradient_shape(name, g, out.target);
    require_apart(name, {f, g, u}, {out.source, out.target});
    workspace memory;
    const engine::row_groups groups{{f.rows, 0, 1, register_rows() + stride_}, simd_lanes<T>};
    const engine::worker_scratch<T> scratch(memory, exec.workers(), groups.rows);
    exec.run(groups.count(), [&](index_t task, int worker) {
      const engine::row_group group = groups[task];
      const column all = scratch(worker)(0);
      const registers r = registers_of(all);
      const column upstream{all.data + register_rows() * all.stride, all.stride, dimension_};
      load_factors(r, group, f, g);
      engine::load_rows(class_rows<const T>{u}, group.first, group.count, upstream);
      for (index_t k = 0; k < dimension_; ++k) {
        pack<T> left = r.left[k], right = r.right[k];
        detail::pull_mapped(upstream[k], pack<T>(normaliser()), left, right);
        r.left.set(k, left);
        r.right.set(k, right);
      }
      const auto half = [&](const column& factor) { return column{factor.data, factor.stride, dimension_}; };
      if (out.source.data) {
        engine::column_product(half(r.right), operand{matrices_->features.data(), stride_, 1},
                               column{r.features.data, r.features.stride, padded(features_)});
        for (index_t j = 0; j < features_; ++j) r.features.set(j, r.features[j] * pack<T>(out.scale));
        engine::store_rows(r.features, group.first, group.count, class_rows<T>{out.source}, out.mode);
      }
      if (out.target.data) {
        engine::column_product(half(r.left), operand{matrices_->classes.data(), stride_, 1},
                               column{r.slopes.data, r.slopes.stride, padded(classes_)});
        engine::pull_softmax(r.probabilities, pack<T>(out.scale), [&](index_t c) { return r.slopes[c]; });
        engine::store_rows(r.probabilities, group.first, group.count, class_rows<T>{out.target}, out.mode);
      }
    });
  }

  /// Both matrices, padded with zeros to product_unit.
  struct matrices {
    std::vector<T> features, classes;
  };
  /// The matrices for writing: a copy of their own if another map has them too.
  matrices& own() {
    if (matrices_.use_count() > 1) matrices_ = std::make_shared<matrices>(*matrices_);
    return *matrices_;
  }

  index_t features_, classes_, dimension_;
  index_t stride_ = 0;
  std::shared_ptr<matrices> matrices_;
};

} // namespace dalib
