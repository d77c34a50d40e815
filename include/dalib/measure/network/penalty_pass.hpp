/// @file
/// A critic's gradient at points and the penalty on its length, with the second pass back through the first one.
#pragma once

#include "dalib/measure/network/feed_forward.hpp"

#include <cmath>

namespace dalib::detail {

/// mean over the points of (|grad D| - 1)^2, and its gradients by a second pass back through the first one's.
template <class Exec, class T>
class penalty_pass {
public:
  using view = matrix_view<T>;

  penalty_pass(const Exec& exec, const feed_forward<T>& critic, const matrix_view<const T>& points, workspace& scratch)
      : network_(exec, critic, points, scratch), scratch_(scratch), slopes_(network_.views()), raw_(network_.views()) {
    const index_t last = network_.layers() - 1;
    slopes_[last] = scratch_matrix<T>(scratch, points.rows, 1);
    for (index_t i = 0; i < points.rows; ++i) slopes_[last](i, 0) = T(1);
    for (index_t l = last; l > 0; --l) {
      raw_[l - 1] = network_.product(slopes_[l], network_.layer(l).weight);
      slopes_[l - 1] = copy_of(raw_[l - 1]);
      network_.times_slopes(l - 1, slopes_[l - 1]);
    }
    gradient_ = network_.product(slopes_[0], network_.layer(0).weight);
  }

  /// dD/dh of every point.
  const view& critic_gradient() const { return gradient_; }

  double value() const {
    double sum = 0;
    for (index_t i = 0; i < gradient_.rows; ++i) sum += (length(i) - 1) * (length(i) - 1);
    return sum / static_cast<double>(gradient_.rows);
  }

  /// Adds `factor` times the penalty's gradients with respect to the parameters; returns that of the points, without the factor. A
  /// gradient of length 0 has slope 0.
  view pull(const network_gradients<T>& out, T factor) const {
    const index_t last = network_.layers() - 1;
    view along = scratch_matrix<T>(scratch_, gradient_.rows, gradient_.cols); // the slope of the penalty, then on its way up
    for (index_t i = 0; i < gradient_.rows; ++i) {
      const double norm = length(i), share = norm > 0 ? 2 * (norm - 1) / (norm * static_cast<double>(gradient_.rows)) : 0;
      for (index_t j = 0; j < gradient_.cols; ++j) along(i, j) = static_cast<T>(share * static_cast<double>(gradient_(i, j)));
    }
    view* const bent = network_.views(); // what the activations' curvature adds to the gradient of the sums
    for (index_t l = 0; l <= last; ++l) {
      network_.add_weight(l, slopes_[l], along, factor, out);
      if (l == last) break;
      along = network_.product(along, network_.layer(l).weight.transposed());
      bent[l] = copy_of(along);
      for (index_t i = 0; i < along.rows; ++i)
        for (index_t j = 0; j < along.cols; ++j) bent[l](i, j) *= raw_[l](i, j) * network_.curvature_at(network_.value_behind(l, i, j));
      network_.times_slopes(l, along);
    }
    const view none{scratch_.template allocate_zero<T>(gradient_.rows * gradient_.cols), gradient_.rows, gradient_.cols};
    if (network_.is_piecewise_linear() || last == 0) return none;
    view at = bent[last - 1];
    for (index_t l = last - 1;; --l) {
      network_.add_layer(l, at, network_.input_of(l), factor, out);
      const view below = network_.product(at, network_.layer(l).weight);
      if (l == 0) return below;
      network_.times_slopes(l - 1, below);
      for (index_t i = 0; i < below.rows; ++i)
        for (index_t j = 0; j < below.cols; ++j) below(i, j) += bent[l - 1](i, j);
      at = below;
    }
  }

private:
  view copy_of(const view& from) const {
    const view to = scratch_matrix<T>(scratch_, from.rows, from.cols);
    for (index_t i = 0; i < from.rows; ++i)
      for (index_t j = 0; j < from.cols; ++j) to(i, j) = from(i, j);
    return to;
  }
  double length(index_t i) const {
    double square = 0;
    for (index_t j = 0; j < gradient_.cols; ++j) square += static_cast<double>(gradient_(i, j)) * static_cast<double>(gradient_(i, j));
    return std::sqrt(square);
  }

  network_pass<Exec, T> network_;
  workspace& scratch_;
  view *slopes_, *raw_; ///< dD of every layer's sums, and before the activation's slope
  view gradient_;
};

} // namespace dalib::detail
