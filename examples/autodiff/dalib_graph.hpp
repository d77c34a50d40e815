#pragma once
#include <array>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <dalib/core/gradients.hpp>
#include <dalib/core/graph.hpp>

#include "elementwise.hpp"
#include "shape.hpp"
#include "variable.hpp"

namespace dalib {

/// The example tape as the library's losses see it: one node per loss, with the gradients that the library computed.
template <class Scalar>
struct graph_traits<ad::variable<Scalar>> {
  using value = ad::variable<Scalar>;
  using scalar = Scalar;

  static index_t rows(const value& v) { return v.rows(); }
  static matrix_view<const Scalar> view(const value& v) { return {v.storage().data(), v.rows(), v.cols()}; }
  static value concat_rows(const value& a, const value& b) { return ad::concat_rows<Scalar>({a, b}); }
  static value slice_rows(const value& v, index_t first, index_t count) {
    if (first == 0) return ad::split_rows(v, {count, v.rows() - count}).front();
    return ad::split_rows(v, {first, count}).back();
  }
  static value reverse(const value& v, double coefficient) { return ad::gradient_reversal(v, static_cast<Scalar>(coefficient)); }
  static value detach(const value& v) { return ad::detach(v); }

  /// One node of `f(views, gradients)`, which returns the value and writes the gradient of each input whose view has data. If f gives one
  /// value per row of the inputs taken together, the node is a column of them and row i of the inputs receives upstream gradient i.
  template <std::size_t N, class F>
  static value record(const std::array<value, N>& inputs, F&& f) {
    std::array<matrix_view<Scalar>, N> targets;
    std::vector<ad::tensor<Scalar>> gradients(N);
    for (std::size_t i = 0; i < N; ++i) {
      if (!ad::needs_gradient(inputs[i])) continue;
      gradients[i] = ad::tensor<Scalar>(inputs[i].rows(), inputs[i].cols());
      targets[i] = {gradients[i].data(), inputs[i].rows(), inputs[i].cols()};
    }
    auto result = f(views_of(inputs), targets);
    ad::tensor<Scalar> output = tensor_of(result);
    const ad::geometry shape{output.rows(), 1, 1};
    return ad::make_result(std::move(output), shape, std::vector<value>(inputs.begin(), inputs.end()),
                           [gradients = std::move(gradients)](const ad::tensor<Scalar>& upstream, const std::vector<value>& below) mutable {
                             ad::index_t first = 0;
                             for (std::size_t i = 0; i < below.size(); ++i) {
                               const ad::index_t count = below[i].rows();
                               if (!gradients[i].empty()) {
                                 scale_rows(gradients[i], upstream, first);
                                 below[i].add_gradient(std::exchange(gradients[i], {}));
                               }
                               first += count;
                             }
                           });
  }

  /// One node of a rows x cols matrix that `forward(views, out)` writes and `pull(views, upstream, gradients)` differentiates.
  template <std::size_t N, class Forward, class Pull>
  static value transform(const std::array<value, N>& inputs, index_t rows, index_t cols, Forward&& forward, Pull&& pull) {
    ad::tensor<Scalar> output(rows, cols);
    forward(views_of(inputs), matrix_view<Scalar>{output.data(), rows, cols});
    return ad::make_result(std::move(output), ad::geometry{rows, 1, 1}, std::vector<value>(inputs.begin(), inputs.end()),
                           [pull = std::forward<Pull>(pull)](const ad::tensor<Scalar>& upstream, const std::vector<value>& below) {
                             std::array<value, N> same;
                             std::array<ad::tensor<Scalar>, N> gradients;
                             std::array<matrix_view<Scalar>, N> targets;
                             for (std::size_t i = 0; i < N; ++i) {
                               same[i] = below[i];
                               if (!below[i].requires_gradient()) continue;
                               gradients[i] = ad::tensor<Scalar>(below[i].rows(), below[i].cols());
                               targets[i] = {gradients[i].data(), below[i].rows(), below[i].cols()};
                             }
                             pull(views_of(same), matrix_view<const Scalar>{upstream.data(), upstream.rows(), upstream.cols()}, targets);
                             for (std::size_t i = 0; i < N; ++i)
                               if (targets[i].data) below[i].add_gradient(std::move(gradients[i]));
                           });
  }

private:
  template <std::size_t N>
  static std::array<matrix_view<const Scalar>, N> views_of(const std::array<value, N>& inputs) {
    std::array<matrix_view<const Scalar>, N> views;
    for (std::size_t i = 0; i < N; ++i) views[i] = view(inputs[i]);
    return views;
  }

  static ad::tensor<Scalar> tensor_of(Scalar loss) {
    ad::tensor<Scalar> result(1, 1);
    *result.data() = loss;
    return result;
  }
  static ad::tensor<Scalar> tensor_of(const std::vector<Scalar>& losses) {
    ad::tensor<Scalar> result(static_cast<ad::index_t>(losses.size()), 1);
    for (std::size_t i = 0; i < losses.size(); ++i) result.data()[i] = losses[i];
    return result;
  }

  /// gradient(i, :) *= upstream of row first + i, or the one upstream there is.
  static void scale_rows(ad::tensor<Scalar>& gradient, const ad::tensor<Scalar>& upstream, ad::index_t first) {
    auto target = gradient.view();
    if (upstream.size() == 1)
      target *= *upstream.data();
    else
      for (ad::index_t i = 0; i < target.rows(); ++i) target.row(i) *= upstream.data()[first + i];
  }
};

} // namespace dalib
