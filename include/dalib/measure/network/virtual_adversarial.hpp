/// @file
/// Virtual adversarial training: predictions that do not change in the direction in which they would most.
#pragma once

#include "dalib/engine/row/softmax.hpp"
#include "dalib/measure/network/feed_forward.hpp"
#include "dalib/measure/score_measure.hpp"

#include <cmath>

namespace dalib {

namespace detail {

/// mean_i KL(p_i | q_i) of the softmaxes of logits y and z, and q - p over n in place of z.
template <class T>
double mean_divergence(const matrix_view<T>& fixed, const matrix_view<T>& moved, workspace& scratch) {
  const workspace_mark mark(scratch);
  const index_t classes = moved.cols;
  double sum = 0;
  double* const numbers = scratch.template allocate<double>(4 * classes);
  const auto part = [&](index_t k) { return engine::class_column<double>{numbers + k * classes, 1, classes}; };
  const auto p = part(0), q = part(1), gap = part(2);
  for (index_t i = 0; i < moved.rows; ++i) {
    for (index_t c = 0; c < classes; ++c) {
      p.set(c, static_cast<double>(fixed(i, c)));
      q.set(c, static_cast<double>(moved(i, c)));
    }
    sum += engine::divergence_in_place(p, q, gap, part(3));
    for (index_t c = 0; c < classes; ++c) moved(i, c) = static_cast<T>(-gap[c] / static_cast<double>(moved.rows));
  }
  return sum / static_cast<double>(moved.rows);
}

} // namespace detail

/// Virtual adversarial training (VAT, Miyato et al. 2018, eq. 5 and algorithm 1) of a network that gives logits:
///
///     mean_i KL(p_i | q_i(x + r_adv)),   r_adv = eps g / |g|,   g = gradient of the mean KL at x + xi d / |d|, row by row
///
/// p are the predictions at x and q those at the moved rows; p and r_adv are constants. Directions d (n, F) are given, normal numbers as a
/// rule. More power iterations take g for d. Rows without a gradient are not moved. Gradients are those of the parameters. O(n x
/// parameters); host only, the divergence in double.
/// @throws std::invalid_argument for layers that do not fit, an empty x, directions or gradients of another shape, xi or eps that is not
/// positive, no iteration.
///
/// @code{.cpp}
/// const Eigen::MatrixXd w = Eigen::MatrixXd::Random(3, 2), x = Eigen::MatrixXd::Random(5, 2), d = Eigen::MatrixXd::Random(5, 2);
/// const Eigen::VectorXd b = Eigen::VectorXd::Zero(3);
/// const std::vector<dense_layer<const double>> layers = {{const_view_of(w), b.data()}};
/// Eigen::MatrixXd gw(3, 2), moves(5, 2);
/// Eigen::VectorXd gb(3);
/// const std::vector<dense_layer<double>> slopes = {{view_of(gw), gb.data()}};
/// workspace scratch;
/// const virtual_adversarial loss{{.xi = 0.1, .epsilon = 2}};
/// const feed_forward<double> network{layers};
/// const virtual_adversarial::rows_to_move<double> rows{const_view_of(x), const_view_of(d), view_of(moves)};
/// const double value = loss.value_and_gradient(exec::serial{}, network, rows, {slopes}, scratch);
/// assert(value > 0 && gw.norm() > 0 && std::abs(moves.row(0).norm() - 2) < 1e-14);
/// @endcode
struct virtual_adversarial {
  static constexpr const char* name = "virtual_adversarial";

  struct options {
    double xi = 1e-6;   ///< length of the step that finds the gradient
    double epsilon = 1; ///< length of the move
    int iterations = 1; ///< of the power method
  };
  /// The rows and a direction for each; r_adv is written to `moves`, if it is there.
  template <class T>
  struct rows_to_move {
    matrix_view<const T> x, directions;
    matrix_view<T> moves = {};
  };

  options settings;

  explicit virtual_adversarial(options s) : settings(s) {}

  template <class Exec, class T>
  T value_and_gradient(const Exec& exec, const feed_forward<T>& network, const std::type_identity_t<rows_to_move<T>>& rows,
                       const std::type_identity_t<network_gradients<T>>& out, workspace& scratch) const {
    const auto& x = rows.x;
    require_shapes(x.rows > 0 && x.cols > 0, name, "there must be rows", x, x);
    require_shapes(rows.directions.rows == x.rows && rows.directions.cols == x.cols, name, "there must be a direction for each row", x,
                   rows.directions);
    detail::require_network(name, network, x.cols, out);
    require_gradient_shape(name, x, rows.moves);
    detail::require_positive(name, "xi", settings.xi);
    detail::require_positive(name, "epsilon", settings.epsilon);
    if (settings.iterations < 1) fail(name, "there must be at least one iteration");
    const workspace_scope scope(scratch);
    const matrix_view<T> fixed = detail::network_pass<Exec, T>(exec, network, x, scratch).outputs();
    const matrix_view<T> move = detail::copy_as<T>(exec, rows.directions, scratch),
                         moved = detail::scratch_matrix<T>(scratch, x.rows, x.cols);
    const auto moved_by = [&](double length) { // scales every row of `move` to it
      for (index_t i = 0; i < x.rows; ++i) {
        double square = 0;
        for (index_t j = 0; j < x.cols; ++j) square += static_cast<double>(move(i, j)) * static_cast<double>(move(i, j));
        const double share = square > 0 ? length / std::sqrt(square) : 0;
        for (index_t j = 0; j < x.cols; ++j) {
          move(i, j) = static_cast<T>(share * static_cast<double>(move(i, j)));
          moved(i, j) = x(i, j) + move(i, j);
        }
      }
    };
    for (int k = 0; k < settings.iterations; ++k) {
      const workspace_mark mark(scratch);
      moved_by(settings.xi);
      const detail::network_pass<Exec, T> pass(exec, network, moved, scratch);
      static_cast<void>(detail::mean_divergence(fixed, pass.outputs(), scratch));
      const matrix_view<T> pulls = pass.pull(pass.outputs(), {}, T(1));
      for (index_t i = 0; i < x.rows; ++i)
        for (index_t j = 0; j < x.cols; ++j) move(i, j) = pulls(i, j);
    }
    moved_by(settings.epsilon);
    if (rows.moves.data != nullptr)
      for (index_t i = 0; i < x.rows; ++i)
        for (index_t j = 0; j < x.cols; ++j) rows.moves(i, j) = move(i, j);
    const detail::network_pass<Exec, T> pass(exec, network, moved, scratch);
    const double value = detail::mean_divergence(fixed, pass.outputs(), scratch);
    detail::clear_parameters(out);
    if (!out.layers.empty()) pass.pull(pass.outputs(), out, out.scale);
    return static_cast<T>(value);
  }
};

} // namespace dalib
