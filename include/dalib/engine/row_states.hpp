/// @file
/// A state of every row, gathered over the rows it is paired with: log-sum-exp with a potential, and states of your own.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/engine/estimate.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>

namespace dalib::engine {

namespace detail {
// A constant of the namespace: a device may read it, but not call the function.
inline constexpr float lowest_exponent = std::numeric_limits<float>::lowest();
} // namespace detail

/// The row state of log sum_j exp(k(x, y_j) + potential_j): the largest exponent so far, and the sum of exponentials less it. One
/// exponential for each pair; a potential of minus infinity (a weight of 0) counts nothing; minus infinity if all are.
struct log_sum_exp {
  static constexpr int numbers = 2;

  template <class V>
  DALIB_HD void start(V* row) const {
    row[0] = V(detail::lowest_exponent);
    row[1] = V(0);
  }
  template <class V>
  DALIB_HD void visit(V* row, const V& kernel, const V& potential) const {
    using std::exp;
    const V x = kernel + potential, apart = x - row[0], smaller = exp(-maximum(apart, -apart));
    row[1] = select(apart > V(0), row[1] * smaller + V(1), row[1] + smaller);
    row[0] = maximum(x, row[0]);
  }
  template <class T>
  DALIB_HD T result(const T* row) const {
    using std::log;
    return row[0] + log(row[1]);
  }
};

/// out(i) = what `state` gathers of row i over the rows j that `pairs` pairs it with (pair_set), in a fixed order: `start(row)` sets its
/// `numbers`, `visit(row, k(x_i, x_j), potential_j)` adds a pair, `result(row)` is what is written. The members are templates: a row's
/// numbers are packs on the CPU. The layer's kernel is bound and may be any function of a statistic, also a logarithm; the potential is
/// one number for each of the n rows (n_t for pair_set::across), out one for each row of K. O(n^2 F) time, O(n F) memory; the same bits
/// for any number of threads. @throws std::invalid_argument for shapes that do not fit; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = (Eigen::MatrixXd(2, 1) << 0, 1).finished(), y = (Eigen::MatrixXd(2, 1) << 0, 3).finished();
/// const Eigen::MatrixXd potential = (Eigen::MatrixXd(2, 1) << 0.5, -1).finished();
/// Eigen::MatrixXd out(2, 1);
/// workspace scratch;
/// const exec::serial exec;
/// const engine::layer_input<double, kernel::energy> input{{sample_of(x), sample_of(y)}, {}, {}, {}}; // k = -|x - y|
/// const engine::bound_problem problem(exec, scratch, input);
/// engine::row_states(exec, engine::log_sum_exp{}, std::get<0>(problem.layers()), engine::pair_set::across, view_of(potential),
/// view_of(out),
///                    scratch);
/// assert(std::abs(out(0) - std::log(std::exp(0.5) + std::exp(-4))) < 1e-14);
/// @endcode
template <class Exec, class State, class T, class Profile, class Memory>
void row_states(const Exec& exec, const State& state, const layer<T, Profile, Memory>& one, pair_set pairs,
                const std::type_identity_t<matrix_view<const T, Memory>>& potential,
                const std::type_identity_t<matrix_view<T, Memory>>& out, workspace_of<Memory>& scratch) {
  constexpr const char* name = "row_states";
  static_assert(std::is_trivially_copyable_v<State>, "dalib: a row state is trivially copyable; see dalib/engine/row_states.hpp");
  const bool across = pairs == pair_set::across;
  const index_t owns = across ? one.data.source.rows.rows : one.data.rows(), others = across ? one.data.target.rows.rows : one.data.rows();
  if (owns < 1 || others < 1 || one.data.features() < 1) fail(name, "needs rows in each sample and features");
  if (potential.rows != others || potential.cols != 1 || out.rows != owns || out.cols != 1)
    fail(name, "needs a potential of " + std::to_string(others) + " x 1 and a result of " + std::to_string(owns) + " x 1 (got " +
                   shape_of(potential) + " and " + shape_of(out) + ")");
  const workspace_mark mark(scratch);
  with_units(exec, name, std::tuple{one}, scratch, [&](const auto& layers) {
    backend<Memory>::row_states(exec, state, std::get<0>(layers), row_request<T, Memory>{pairs, potential, out}, scratch);
  });
}

} // namespace dalib::engine
