/// @file
/// Float rows taken as double where the kernel and the rows ask for it.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/pair/layer.hpp"

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dalib::engine {

/// Whether a kernel of float rows reads statistics that a shift of all rows changes: where the rows are far from 0 such a kernel is a large
/// number, or a cosine near 1, and the sum over pairs a small difference of them.
template <class T, class Profile>
struct reads_far_products {
  template <class... S>
  static constexpr bool any(type_list<S...>) {
    return ((S::from_gram && !S::translation_invariant) || ...);
  }
  static constexpr bool value = std::is_same_v<T, float> && any(statistics_of<Profile>{});
};

/// Whether that is so here. Float costs the value of rows r standard deviations from 0 about r^2 roundings and the gradient 2 r.
template <class Summary>
bool lies_far(const Summary& summary) {
  constexpr double far = 3;
  return 2 * summary.origin().mean_norm > far * far * summary.mean_squared_distance();
}
template <class T, class Profile, class Memory>
bool is_far(const layer<T, Profile, Memory>& one) {
  return lies_far(*one.summary);
}

namespace detail {

/// Entries [col, col + count) of a row, in another type.
template <class From, class To, class Memory>
struct convert_task {
  matrix_view<const From, Memory> from;
  matrix_view<To, Memory> to;
  bool accumulate = false;

  DALIB_HD void operator()(index_t row, index_t col, index_t count) const {
    for (index_t f = col; f < col + count; ++f) {
      const To value = static_cast<To>(from(row, f));
      to(row, f) = accumulate ? to(row, f) + value : value;
    }
  }
};

template <class Exec, class Memory>
matrix_view<double, Memory> doubles_of(const Exec& exec, const matrix_view<const float, Memory>& from, workspace_of<Memory>& scratch) {
  const matrix_view<double, Memory> to(scratch.template allocate<double>(from.rows * from.cols), from.rows, from.cols);
  backend<Memory>::for_each_entry(exec, from.rows, from.cols, convert_task<float, double, Memory>{from, to});
  return to;
}

template <class Exec, class Memory>
sample<double, Memory> doubles_of(const Exec& exec, const sample<float, Memory>& from, workspace_of<Memory>& scratch) {
  const double* weights = nullptr;
  if (from.weights) weights = doubles_of(exec, matrix_view<const float, Memory>(from.weights, 1, from.rows.rows), scratch).data;
  return {doubles_of(exec, from.rows, scratch), weights};
}

} // namespace detail

/// Calls use(layers) with copies of float layers in double, whose gradients are the callers' afterwards: written or added as `mode` says.
/// O(n F) memory.
template <class Exec, class Memory, class... Profiles, class Use>
double in_double(const Exec& exec, const std::tuple<layer<float, Profiles, Memory>...>& layers, write_mode mode,
                 workspace_of<Memory>& scratch, const Use& use) {
  using summary = sample_summary<double, Memory>;
  const workspace_mark mark(scratch);
  return std::apply(
      [&](const auto&... one) {
        const std::array<joint_sample<double, Memory>, sizeof...(Profiles)> data{joint_sample<double, Memory>{
            detail::doubles_of(exec, one.data.source, scratch), detail::doubles_of(exec, one.data.target, scratch)}...};
        const auto own = [&](const matrix_view<float, Memory>& gradient) {
          if (gradient.data == nullptr) return matrix_view<double, Memory>{};
          return matrix_view<double, Memory>(scratch.template allocate<double>(gradient.rows * gradient.cols), gradient.rows,
                                             gradient.cols);
        };
        const auto give = [&](const matrix_view<double, Memory>& from, const matrix_view<float, Memory>& to) {
          if (to.data == nullptr) return;
          const detail::convert_task<double, float, Memory> task{from, to, mode == write_mode::accumulate};
          backend<Memory>::for_each_entry(exec, to.rows, to.cols, task);
        };
        std::size_t place = 0;
        const std::array<summary, sizeof...(Profiles)> summaries{(static_cast<void>(one), summary(exec, data[place++], scratch))...};
        place = 0;
        const auto wide = [&]<class Profile>(const layer<float, Profile, Memory>& from) {
          const std::size_t l = place++;
          return layer<double, Profile, Memory>{data[l], &summaries[l], from.profile, own(from.source_gradient), own(from.target_gradient)};
        };
        const std::tuple<layer<double, Profiles, Memory>...> all{wide(one)...};
        const double value = use(all);
        std::apply(
            [&](const auto&... done) {
              ((give(done.source_gradient, one.source_gradient), give(done.target_gradient, one.target_gradient)), ...);
            },
            all);
        backend<Memory>::synchronise(exec); // the scratch memory goes
        return value;
      },
      layers);
}

} // namespace dalib::engine
