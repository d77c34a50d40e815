/// @file
/// What measures of two samples of features on the host share: types, checks at entry, copies in double, and where gradients go.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/gradients.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/product.hpp"
#include "dalib/measure/call.hpp"

#include <algorithm>
#include <type_traits>

namespace dalib {

/// @internal
/// Base of a measure of two tensors of features (n_s, F) and (n_t, F) of the host. The measure offers
/// `of_samples<Gradient>(context, source, target, out)`, which returns a double and is called when types and shapes are right. A measure
/// whose settings may be wrong says so in `require_settings(source, target)`.
template <class Measure>
struct two_sample_measure : call_forms<Measure> {
  static constexpr std::size_t arity = 2;

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt) const {
    using types = two_sample_types<ZS, ZT>;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: this measure works on tensors of the host");
    require_execution<typename Call::execution_type, host_memory>();
    const auto out = call.template output<0>(no_gradients<typename types::value_type, host_memory>());
    require_gradient_types<types>(out);
    return run<Call::wants_gradient>(call, const_view_of(zs), const_view_of(zt), out);
  }

private:
  template <bool Gradient, class Call, class T>
  T run(const Call& call, const matrix_view<const T>& source, const matrix_view<const T>& target, const gradients<T>& out) const {
    const auto& self = static_cast<const Measure&>(*this);
    require_two_samples(Measure::name, source, target);
    require_gradients(Measure::name, sample<T>{source}, sample<T>{target}, out);
    if constexpr (requires { self.require_settings(source, target); }) self.require_settings(source, target);
    const workspace_scope scope(call.scratch);
    return static_cast<T>(self.template of_samples<Gradient>(call, source, target, out));
  }
};

namespace detail {

/// A matrix in scratch memory, row by row.
template <class T>
matrix_view<T> scratch_matrix(workspace& scratch, index_t rows, index_t cols) {
  return {scratch.template allocate<T>(rows * cols), rows, cols};
}

/// Calls use(stride), with 1 as a constant: loops over neighbours are vectorised.
template <class Use>
void with_stride(index_t stride, const Use& use) {
  stride == 1 ? use(std::integral_constant<index_t, 1>{}) : use(stride);
}

/// The elements of a view as To, row by row in scratch memory.
template <class To, class Exec, class T>
matrix_view<To> copy_as(const Exec& exec, const matrix_view<const T>& from, workspace& scratch) {
  const matrix_view<To> to = scratch_matrix<To>(scratch, from.rows, from.cols);
  backend<host_memory>::for_each_entry(exec, from.rows, from.cols, [&](index_t row, index_t first, index_t count) {
    const T* const own = &from(row, 0);
    To* const own_to = &to(row, 0);
    with_stride(from.col_stride, [&](auto stride) {
      for (index_t j = first; j < first + count; ++j) own_to[j] = static_cast<To>(own[j * stride]);
    });
  });
  return to;
}

/// Rows less a mean, as To, row by row in scratch memory.
template <class To, class Exec, class T>
matrix_view<To> centred_copy(const Exec& exec, const matrix_view<T>& from, const double* mean, workspace& scratch) {
  const matrix_view<To> to = scratch_matrix<To>(scratch, from.rows, from.cols);
  backend<host_memory>::for_each_entry(exec, from.rows, from.cols, [&](index_t row, index_t first, index_t count) {
    To* const out = &to(row, 0);
    const T* const in = &from(row, 0);
    with_stride(from.col_stride, [&](auto step) {
      for (index_t j = first; j < first + count; ++j) out[j] = static_cast<To>(static_cast<double>(in[j * step]) - mean[j]);
    });
  });
  return to;
}

/// Adds scale * from to a gradient, or puts it there; nothing if the gradient is not wanted.
template <class Exec, class From, class T>
void write_gradient(const Exec& exec, const matrix_view<From>& from, const matrix_view<T>& to, T scale, write_mode mode) {
  if (to.data == nullptr) return;
  backend<host_memory>::for_each_entry(exec, to.rows, to.cols, [&](index_t row, index_t first, index_t count) {
    const From* const in = &from(row, 0);
    T* const out = &to(row, 0);
    const bool add = mode == write_mode::accumulate;
    with_stride(from.col_stride, [&](auto in_step) {
      with_stride(to.col_stride, [&](auto step) {
        for (index_t j = first; j < first + count; ++j) {
          const T value = static_cast<T>(static_cast<From>(scale) * in[j * in_step]);
          out[j * step] = add ? out[j * step] + value : value;
        }
      });
    });
  });
}

/// Means of the columns, in double, each column by itself: the same for any number of threads.
template <class Exec, class T>
double* column_means(const Exec& exec, const matrix_view<T>& rows, workspace& scratch) {
  double* const means = scratch.template allocate_zero<double>(rows.cols);
  constexpr index_t block = 64;
  exec.run((rows.cols + block - 1) / block, [&](index_t task, int) {
    const index_t first = task * block, last = std::min(rows.cols, first + block);
    with_stride(rows.col_stride, [&](auto step) {
      for (index_t i = 0; i < rows.rows; ++i) {
        const T* const row = &rows(i, 0);
        for (index_t j = first; j < last; ++j) means[j] += static_cast<double>(row[j * step]);
      }
    });
    for (index_t j = first; j < last; ++j) means[j] /= static_cast<double>(rows.rows);
  });
  return means;
}

} // namespace detail

} // namespace dalib
