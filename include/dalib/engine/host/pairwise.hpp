/// @file
/// The pairwise engine: value and gradient of a weighted sum of kernels over all pairs of rows, in one pass over tiles.
///
/// Memory beyond the inputs and outputs: O(F) for the mean, packed rows of at most packed_bytes_limit, and for each worker a tile with its
/// two blocks of rows. Never n x n beyond triangle_rows_limit rows.
#pragma once

#include "dalib/engine/host/row_centres.hpp"
#include "dalib/engine/host/tournament.hpp"
#include "dalib/engine/host/triangle.hpp"

#include <tuple>

namespace dalib::engine {

/// sum_{x,y} c(x, y) prod_l k_l(x_l, y_l) over all ordered pairs of rows. With `Gradient` the gradients, times `scale`, are written or
/// added to the layers' views. @tparam Accumulator how the value's terms are added. O(rows^2 sum F) time.
template <bool Gradient, class Accumulator, class Exec, class Coefficients, class T, class... Profiles>
double pairwise_sum(const Exec& exec, const Coefficients& coefficients, const std::tuple<layer<T, Profiles>...>& layers, T scale,
                    write_mode mode, workspace& scratch) {
  using problem_type = pair_problem<Gradient, Coefficients, T, Profiles...>;
  const auto centres_of = [&]<class Profile>(const layer<T, Profile>& one) {
    if constexpr (reads<Profile>::distance_only)
      return centre_finder(exec, one.data, *one.summary, scratch).run(Gradient);
    else
      return row_centres<T>{};
  };
  const auto centres = std::apply([&](const auto&... one) { return typename problem_type::centres_array{centres_of(one)...}; }, layers);
  const problem_type problem(coefficients, layers, centres, scale);
  if (problem.rows() <= triangle_rows_limit) return triangle<Accumulator, problem_type>{}.run(exec, problem, scratch, mode);
  return tournament<Accumulator, problem_type>{}.run(exec, problem, scratch, mode);
}

} // namespace dalib::engine
