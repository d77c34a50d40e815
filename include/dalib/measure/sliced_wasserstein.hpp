/// @file
/// Sliced Wasserstein distance.
#pragma once

#include "dalib/core/gradient.hpp"
#include "dalib/core/random.hpp"
#include "dalib/measure/scratch_algebra.hpp"
#include "dalib/measure/wasserstein.hpp"

#include <cmath>
#include <cstdint>
#include <utility>

namespace dalib {

/// Fills (F, L) with L random unit columns, uniform on the sphere: pure functions of the seed, the same everywhere.
///
/// @code{.cpp}
/// Eigen::MatrixXf directions(5, 8);
/// fill_directions(directions, 1);
/// assert((directions.colwise().norm().array() - 1).abs().maxCoeff() < 1e-6f);
/// @endcode
template <matrix_like M>
void fill_directions(M& directions, std::uint64_t seed) {
  const auto to = view_of(directions);
  using T = typename decltype(to)::value_type;
  for (index_t l = 0; l < to.cols; ++l) {
    const auto number = [&](index_t f) { return standard_normal(seed, static_cast<std::uint64_t>(l * to.rows + f)); };
    double square = 0;
    for (index_t f = 0; f < to.rows; ++f) square += number(f) * number(f);
    for (index_t f = 0; f < to.rows; ++f) to(f, l) = static_cast<T>(number(f) / std::sqrt(square));
  }
}

/// Sliced Wasserstein distance to the power p (Rabin et al. 2012; Bonneel et al. 2015, eq. 10): the mean over directions of the
/// one-dimensional distance of the projections,
///
///     1/L sum_l W_p^p(z_s theta_l, z_t theta_l)
///
/// Samples are (n_s, F) and (n_t, F) of any sizes, directions (F, L) with columns of length 1 (they are not normalised): given, or by
/// fill_directions. On the probabilities of two classifiers for the same rows, with p = 2, it is the discrepancy of Lee et al. (2019, eq.
/// 6). The gradient is that of the optimal couplings. `gradients{g_s, g_t}` are those of the samples; a further `gradient{g}` is that of
/// the directions, as a free matrix. O(n F L + n L log n): one product, sorting of each projection, distances in double; equally many
/// floats, up to 256, are sorted a register of directions at once. Float projections that nearly coincide may change places: the value
/// stays, two rows' gradients then differ by what their partners are apart. Host only.
/// @throws std::invalid_argument for empty samples, shapes that do not fit, gradients of the wrong shape, p < 1.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(20, 3), z_t = Eigen::MatrixXd::Random(16, 3).array() + 1;
/// Eigen::MatrixXd directions(3, 50), g_s(20, 3), g_t(16, 3), g_directions(3, 50);
/// fill_directions(directions, 7);
/// const sliced_wasserstein loss{2};
/// const double value = loss.value_and_gradient(z_s, z_t, directions, gradients{g_s, g_t}, gradient{g_directions});
/// assert(value > 0 && value == loss(z_s, z_t, directions));
/// assert((g_s.colwise().sum() + g_t.colwise().sum()).norm() < 1e-14); // moving both changes nothing
/// @endcode
struct sliced_wasserstein : call_forms<sliced_wasserstein> {
  static constexpr const char* name = "sliced_wasserstein";
  static constexpr std::size_t arity = 3;
  static constexpr std::array<const char*, 3> argument_names = {"the source", "the target", "the directions"};
  using differentiable = std::index_sequence<0, 1>;

  double p;

  explicit sliced_wasserstein(double power = 2) : p(power) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT, class Directions>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt, const Directions& directions) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: sliced_wasserstein works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, ZS, ZT, Directions>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    const auto of_directions = call.template output<1>(gradient<T>{});
    return run<Call::wants_gradient>(call, inputs<T>{const_view_of(zs), const_view_of(zt), const_view_of(directions)}, out, of_directions);
  }

  /// W_p^p of each direction.
  template <matrix_like ZS, matrix_like ZT, matrix_like Directions>
  std::vector<double> per_direction(const ZS& zs, const ZT& zt, const Directions& directions) const {
    using T = value_type_of<ZS>;
    const inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(directions)};
    require_inputs(in);
    workspace scratch;
    const auto both = project<T>(exec::default_policy{}, in, scratch);
    const double* const values = distances<false, T>(exec::default_policy{}, both, scratch);
    return {values, values + in.directions.cols};
  }

private:
  template <class T>
  struct inputs {
    matrix_view<const T> source, target, directions;
  };
  /// A row for each direction; `source` becomes the gradient, if it is wanted. In the memory of `in_lanes` neighbours are directions.
  template <class T>
  struct projections {
    matrix_view<T> source, target;
    bool in_lanes;
  };

  template <class T>
  void require_inputs(const inputs<T>& in) const {
    require_two_samples(name, in.source, in.target);
    require_shapes(in.directions.rows == in.source.cols && in.directions.cols > 0, name,
                   "directions must be (F, L) with as many rows as samples have features", in.source, in.directions);
    detail::require_power(name, p);
  }

  template <class T, class Exec>
  static projections<T> project(const Exec& exec, const inputs<T>& in, workspace& scratch) {
    const bool in_lanes = std::is_same_v<T, float> && in.source.rows == in.target.rows && in.source.rows <= detail::sort_lanes<>::most_rows;
    const auto of = [&](const matrix_view<const T>& rows) {
      const index_t count = in.directions.cols, unit = detail::sort_lanes<>::size;
      if (!in_lanes) {
        const auto to = detail::scratch_matrix<T>(scratch, count, rows.rows);
        engine::product<Exec, T, host_memory>(exec, in.directions.transposed(), rows.transposed(), to, {}, scratch);
        return to;
      }
      const index_t padded = (count + unit - 1) / unit * unit;
      const auto all = detail::scratch_matrix<T>(scratch, rows.rows, padded);
      for (index_t i = 0; i < rows.rows; ++i) std::fill(&all(i, 0) + count, &all(i, 0) + padded, T(0));
      const auto to = detail::left_columns(all, count);
      engine::product<Exec, T, host_memory>(exec, rows, in.directions, to, {}, scratch);
      return to.transposed();
    };
    return {of(in.source), of(in.target), in_lanes};
  }

  /// distances of equally many floats, a register of directions at once.
  template <bool Gradient, class Exec>
  double* distances_in_lanes(const Exec& exec, const projections<float>& both, workspace& scratch) const {
    using lanes = detail::sort_lanes<>;
    const index_t count = both.source.rows, n = both.source.cols, groups = (count + lanes::size - 1) / lanes::size;
    double* const values = scratch.template allocate_zero<double>(groups * lanes::size);
    lanes* const entries = scratch.template allocate<lanes>(exec.workers() * 2 * n);
    const double mass = 1 / static_cast<double>(n), slope_scale = mass * p / static_cast<double>(count);
    exec.run(groups, [&](index_t group, int worker) {
      const index_t first = group * lanes::size, stride = both.source.col_stride;
      lanes *const s = entries + worker * 2 * n, *const t = s + n;
      float *const to_s = both.source.data + first, *const to_t = both.target.data + first;
      for (index_t i = 0; i < n; ++i) s[i] = lanes::of(to_s + i * stride, i);
      for (index_t i = 0; i < n; ++i) t[i] = lanes::of(to_t + i * stride, i);
      detail::sort_each_lane(s, n);
      detail::sort_each_lane(t, n);
      double sums[lanes::size] = {};
      for (index_t i = 0; i < n; ++i) {
        const auto x = s[i].numbers(), y = t[i].numbers();
        for (index_t l = 0; l < lanes::size; ++l) {
          const double apart = static_cast<double>(x[l]) - static_cast<double>(y[l]), distance = std::abs(apart);
          const double power = p == 1 ? 1 : (p == 2 ? distance : std::pow(distance, p - 1));
          sums[l] += power * distance;
          if constexpr (Gradient) {
            const auto slope = static_cast<float>(apart == 0 ? 0 : std::copysign(slope_scale * power, apart));
            to_s[s[i].place(l) * stride + l] = slope;
            to_t[t[i].place(l) * stride + l] = -slope;
          }
        }
      }
      for (index_t l = 0; l < lanes::size; ++l) values[first + l] = mass * sums[l];
    });
    return values;
  }

  /// The distance of every direction; the projections become its gradients, divided by the number of directions.
  template <bool Gradient, class T, class Exec>
  double* distances(const Exec& exec, const projections<T>& both, workspace& scratch) const {
    if constexpr (std::is_same_v<T, float>)
      if (both.in_lanes) return distances_in_lanes<Gradient>(exec, both, scratch);
    const index_t count = both.source.rows, n = both.source.cols, m = both.target.cols;
    double* const values = scratch.template allocate<double>(count);
    double* const numbers = scratch.template allocate<double>(exec.workers() * 2 * (n + m));
    index_t* const orders = scratch.template allocate<index_t>(exec.workers() * (n + m));
    using entry = detail::sort_entry<T>;
    entry* const entries = scratch.template allocate<entry>(exec.workers() * 2 * std::max(n, m));
    exec.run(count, [&](index_t l, int worker) {
      double* const own = numbers + worker * 2 * (n + m);
      double *const g_s = own + n + m, *const g_t = g_s + n;
      T *const row_s = &both.source(l, 0), *const row_t = &both.target(l, 0);
      std::copy_n(row_s, n, own);
      std::copy_n(row_t, m, own + n);
      const detail::sorted_numbers s{own, nullptr, n, static_cast<double>(n), orders + worker * (n + m)};
      const detail::sorted_numbers t{own + n, nullptr, m, static_cast<double>(m), s.order + n};
      entry* const memory = entries + worker * 2 * std::max(n, m);
      detail::sort_order<T>(row_s, n, s.order, memory);
      detail::sort_order<T>(row_t, m, t.order, memory);
      if constexpr (Gradient) std::fill_n(g_s, n + m, 0.0);
      values[l] = detail::quantile_distance(s, t, p, 1 / static_cast<double>(count), Gradient ? g_s : nullptr, Gradient ? g_t : nullptr);
      if constexpr (Gradient) {
        std::transform(g_s, g_s + n, row_s, [](double g) { return static_cast<T>(g); });
        std::transform(g_t, g_t + m, row_t, [](double g) { return static_cast<T>(g); });
      }
    });
    return values;
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const inputs<T>& in, const gradients<T>& out, const gradient<T>& of_directions) const {
    require_inputs(in);
    require_gradients(name, sample<T>{in.source}, sample<T>{in.target}, out);
    require_gradient_shape(name, in.directions, of_directions.target);
    require_apart(name, {in.source, in.target, in.directions}, {out.source, out.target, of_directions.target});
    const workspace_scope scope(call.scratch);
    const auto& exec = call.execution;
    using Exec = std::remove_cvref_t<decltype(exec)>;
    const auto both = project<T>(exec, in, call.scratch);
    const double* const values = distances<Gradient, T>(exec, both, call.scratch);
    if constexpr (Gradient) {
      const auto kept = [](write_mode mode) { return mode == write_mode::accumulate ? T(1) : T(0); };
      const matrix_view<const T> g_s = both.source, g_t = both.target;
      const auto write = [&](const matrix_view<const T>& slopes, const matrix_view<T>& to) {
        if (to.data)
          engine::product<Exec, T, host_memory>(exec, slopes.transposed(), in.directions.transposed(), to, {out.scale, kept(out.mode)},
                                                call.scratch);
      };
      write(g_s, out.source);
      write(g_t, out.target);
      if (const auto& to = of_directions.target; to.data) {
        const T scale = of_directions.scale;
        engine::product<Exec, T, host_memory>(exec, in.source.transposed(), g_s.transposed(), to, {scale, kept(of_directions.mode)},
                                              call.scratch);
        engine::product<Exec, T, host_memory>(exec, in.target.transposed(), g_t.transposed(), to, {scale, T(1)}, call.scratch);
      }
    }
    return static_cast<T>(std::accumulate(values, values + in.directions.cols, 0.0) / static_cast<double>(in.directions.cols));
  }
};

} // namespace dalib
