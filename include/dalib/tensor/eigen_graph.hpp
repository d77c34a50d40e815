/// @file
/// Losses with a network inside on plain Eigen matrices: values only, nothing is recorded.
#pragma once

#include "dalib/core/graph.hpp"
#include "dalib/tensor/eigen.hpp"

#include <array>
#include <cstddef>

namespace dalib {

template <class T, int Rows, int Cols, int Options>
struct graph_traits<Eigen::Matrix<T, Rows, Cols, Options>> {
  using value = Eigen::Matrix<T, Rows, Cols, Options>;
  using scalar = T;
  static constexpr bool records = false;

  static index_t rows(const value& v) { return v.rows(); }
  static auto view(const value& v) { return const_view_of(v); }
  static value concat_rows(const value& a, const value& b) {
    value both(a.rows() + b.rows(), a.cols());
    both << a, b;
    return both;
  }
  static value slice_rows(const value& v, index_t first, index_t count) { return v.middleRows(first, count); }
  static value reverse(const value& v, double) { return v; }
  static value detach(const value& v) { return v; }

  template <std::size_t N, class F>
  static auto record(const std::array<value, N>& inputs, F&& f) {
    std::array<matrix_view<const T>, N> views;
    for (std::size_t i = 0; i < N; ++i) views[i] = const_view_of(inputs[i]);
    return f(views, std::array<matrix_view<T>, N>{});
  }

  template <std::size_t N, class Forward, class Pull>
  static value transform(const std::array<value, N>& inputs, index_t rows, index_t cols, Forward&& forward, Pull&&) {
    std::array<matrix_view<const T>, N> views;
    for (std::size_t i = 0; i < N; ++i) views[i] = const_view_of(inputs[i]);
    value result(rows, cols);
    forward(views, view_of(result));
    return result;
  }
};

} // namespace dalib
