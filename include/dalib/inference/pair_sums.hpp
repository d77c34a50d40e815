/// @file
/// @internal
/// Gradients of what is made of kernel values: sums over pairs whose coefficients are numbers of the two rows, through the pair engine.
#pragma once

#include "dalib/inference/kernel_blocks.hpp"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace dalib::inference::detail {

/// Coefficients c(a, b) = sign (constant + u(a) + u(b)) of the pairs of a joint sample, where constant, u and sign are those of pairs
/// within the source, within the target, or across. O(n) numbers stand for an n x n matrix.
template <class T>
struct row_coefficients {
  index_t source_rows = 0;
  double within_source = 0, within_target = 0, across = 0;
  const double* within_rows = nullptr; ///< u of pairs within a sample; none: 0
  const double* across_rows = nullptr; ///< u of pairs across
  bool distinct = false;               ///< the pair of a row with itself counts 0
  double same_index = 0;               ///< added where both rows have the same place in their samples; subtracted across

  T operator()(index_t other, index_t row) const {
    const bool row_source = row < source_rows, other_source = other < source_rows;
    if (distinct && row == other) return T(0);
    const bool within = row_source == other_source;
    const double* u = within ? within_rows : across_rows;
    double result = !within ? across : row_source ? within_source : within_target;
    if (u) result += u[row] + u[other];
    if (same_index != 0 && place(row) == place(other)) result += within ? same_index : -same_index;
    return static_cast<T>(result);
  }
  void fill(index_t first, index_t count, index_t row, T* out) const {
    for (index_t l = 0; l < count; ++l) out[l] = (*this)(first + l, row);
  }

private:
  index_t place(index_t row) const { return row < source_rows ? row : row - source_rows; }
};

/// Coefficients of a matrix between the source's rows and the target's, for these pairs alone: each counts once.
template <class T, class Matrix>
struct across_coefficients {
  static constexpr bool across_only = true;
  index_t source_rows = 0;
  const Matrix* matrix = nullptr; ///< (source row, target row) -> double

  T operator()(index_t other, index_t row) const {
    const double once = row < source_rows ? (*matrix)(row, other - source_rows) : (*matrix)(other, row - source_rows);
    return static_cast<T>(once / 2); // the engine's sum has each pair twice
  }
  void fill(index_t first, index_t count, index_t row, T* out) const {
    for (index_t l = 0; l < count; ++l) out[l] = (*this)(first + l, row);
  }
};

/// The matrix u(source row) v(target row): one type for all that is of rank one.
struct rank_one {
  const std::vector<double>&u, &v;
  double operator()(index_t p, index_t z) const { return u[static_cast<std::size_t>(p)] * v[static_cast<std::size_t>(z)]; }
};

/// dk / d log length: how a kernel changes when all its lengths grow in one proportion: -2 s k'(s) for the squared distance s, -s k'(s) for
/// the l1 distance.
template <class K>
struct log_length_derivative {
  using statistics = statistics_of<K>;
  K kernel;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    const auto jet = dalib::evaluate<List>(kernel, s);
    multi_jet<T, List::size> result{T(0), {}};
    add(List{}, s, jet.slopes, result.value);
    for (std::size_t i = 0; i < List::size; ++i) result.slopes[i] = T(0);
    return result;
  }
  log_length_derivative with_unit(double unit) const requires(takes_unit<K>) { return {kernel.with_unit(unit)}; }

private:
  template <class T, std::size_t Count, class... S>
  DALIB_HD static void add(type_list<S...>, const T (&s)[Count], const T (&slopes)[Count], T& value) {
    static_assert(((std::is_same_v<S, squared_distance> || std::is_same_v<S, l1_distance>)&&...),
                  "dalib: the gradient with respect to the length needs a kernel of distances alone");
    std::size_t i = 0;
    ((value = value - T(S::from_gram ? 2 : 1) * where_nonzero(s[i], s[i] * slopes[i]), ++i), ...);
  }
};

/// k(x, y)^2.
template <class K>
struct squared_kernel {
  using statistics = statistics_of<K>;
  K kernel;

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    auto jet = dalib::evaluate<List>(kernel, s);
    for (std::size_t i = 0; i < List::size; ++i) jet.slopes[i] = T(2) * jet.value * jet.slopes[i];
    jet.value = jet.value * jet.value;
    return jet;
  }
  squared_kernel with_unit(double unit) const requires(takes_unit<K>) { return {kernel.with_unit(unit)}; }
};

/// A bound kernel bound again is itself.
template <class K>
struct bound_already {
  using statistics = statistics_of<K>;
  K kernel;
  template <class Data>
  K bind(const Data&) const {
    return kernel;
  }
};

/// Where the gradient of a sum over pairs goes, and with which factor.
template <class T>
struct pair_gradient {
  matrix_view<T> source{}, target{};
  double scale = 1;
  write_mode mode = write_mode::overwrite;
};

/// sum c(a, b) k(a, b) over all ordered pairs of the joint sample, and with Gradient its gradients. `profile` is a bound kernel.
template <bool Gradient, class Exec, class T, class Profile, class Coefficients>
double pair_sum(const char* name, const Exec& exec, const Profile& profile, const sample<T>& source, const sample<T>& target,
                const Coefficients& coefficients, const pair_gradient<T>& out, workspace& scratch) {
  const workspace_mark mark(scratch);
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, bound_already<Profile>>{{source, target}, {profile}, out.source, out.target});
  return engine::with_units(exec, name, problem.layers(), scratch, [&](const auto& layers) {
    const engine::gradient_rule<T> rule{static_cast<T>(out.scale), out.mode};
    return engine::pairwise_sum<Gradient, accumulator::plain>(exec, coefficients, layers, rule, scratch);
  });
}

/// sum_{p, z} m(p, z) k(p, z) between points and rows, and with Gradient its gradient with respect to the points, in O(points * rows * F).
template <bool Gradient, class Exec, class T, class Profile, class Matrix>
double across_sum(const char* name, const Exec& exec, const Profile& profile, const matrix_view<const T>& points,
                  const matrix_view<const T>& rows, const Matrix& matrix, const pair_gradient<T>& out, workspace& scratch) {
  const across_coefficients<T, Matrix> coefficients{points.rows, &matrix};
  return pair_sum<Gradient>(name, exec, profile, sample<T>{points, nullptr}, sample<T>{rows, nullptr}, coefficients, out, scratch);
}

/// The kernel bound on a joint sample, as a plain function.
template <class Exec, class T, class Kernel>
auto bind_on(const Exec& exec, const Kernel& kernel, const sample<T>& source, const sample<T>& target, workspace& scratch) {
  const workspace_mark mark(scratch);
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, Kernel>{{source, target}, kernel, matrix_view<T>{}, matrix_view<T>{}});
  return std::get<0>(problem.layers()).profile;
}

/// Values of a bound kernel between points (source) and rows (target), block by block: visit(place, values) of blocks that cover points x
/// rows, value (i, j) of a block at [i * stride + j]; all blocks of one range of points in one task, in order.
template <class Exec, class T, class Profile, class Visit>
void visit_across(const char* name, const Exec& exec, const Profile& profile, const matrix_view<const T>& points,
                  const matrix_view<const T>& rows, workspace& scratch, const Visit& visit) {
  with_kernel<false>(name, exec, bound_already<Profile>{profile}, sample<T>{points, nullptr}, sample<T>{rows, nullptr}, scratch,
                     [&](const auto& kernel) {
                       const engine::kernel_tiles tiles(exec, kernel.layer(), scratch);
                       exec.run(tiles.source_blocks(), [&](index_t own, int worker) {
                         for (index_t other = tiles.source_blocks(); other < tiles.blocks(); ++other) {
                           const auto points_of = tiles.rows(own), rows_of = tiles.rows(other);
                           visit(block_place{points_of.first, points_of.count, rows_of.first - points.rows, rows_of.count},
                                 tiles(worker, other, own)[0], tiles.stride());
                         }
                       });
                     });
}

} // namespace dalib::inference::detail
