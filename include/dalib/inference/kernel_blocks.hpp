/// @file
/// @internal
/// Kernel values of a joint sample: the one door through which tests see kernels.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/engine/estimate.hpp"
#include "dalib/kernel/centred_terms.hpp"
#include "dalib/kernel/family.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace dalib::inference::detail {

/// Whether the pairs of a row with itself take part.
enum class own_pairs { without, with };

/// Rows and columns of the kernel matrix of a joint sample.
struct block_place {
  index_t row = 0, rows = 0, col = 0, cols = 0;
};

/// Rows that a task takes at once: a block of kernel values stays in the second-level cache.
inline constexpr index_t block_rows = 128;
inline index_t block_count(index_t rows) { return (rows + block_rows - 1) / block_rows; }
/// Rows [first, first + count) of block b.
inline std::pair<index_t, index_t> block_range(index_t block, index_t rows) {
  return {block * block_rows, std::min(block_rows, rows - block * block_rows)};
}

/// sum a_i b_i and sum a_i, in double, in one order.
template <class T>
double dot(const T* a, const T* b, index_t count) {
  double partial[8] = {};
  for (index_t i = 0; i < count; ++i) partial[i % 8] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((partial[0] + partial[1]) + (partial[2] + partial[3])) + ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}
template <class T>
double sum_of(const T* a, index_t count) {
  double total = 0;
  for (index_t i = 0; i < count; ++i) total += static_cast<double>(a[i]);
  return total;
}

/// A bound kernel on a joint sample. Its values on single pairs are made from exact differences; calls may run at the same time. Whoever
/// wants all pairs takes its layer to the pair engine: engine::kernel_tiles, engine::kernel_products.
template <class T, class Profile>
class kernel_blocks {
public:
  using value_type = T;
  using profile_type = Profile;

  template <class Exec>
  kernel_blocks(const Exec& exec, const engine::layer<T, Profile>& one, workspace& scratch) : layer_(one) {
    block_.allocate(scratch, one.data.rows(), one.data.features());
    block_.assign(0, one.data.rows());
    exec.run(block_.panel_count(),
             [&](index_t panel, int) { engine::pack_panel(one.data, one.origin(), block_, panel, engine::reads<Profile>::shift); });
  }

  const engine::layer<T, Profile>& layer() const { return layer_; }
  const Profile& profile() const { return layer_.profile; }
  index_t rows() const { return layer_.data.rows(); }
  index_t source_rows() const { return layer_.data.source_rows(); }
  index_t target_rows() const { return rows() - source_rows(); }
  int terms() const { return kernel::term_count(layer_.profile); }

  /// Term by term, k(i, j) of one pair.
  template <class Put>
  void pair_terms(index_t i, index_t j, const Put& put) const {
    const auto sums = engine::sums_of_rows<Profile>(block_, i, block_, j);
    int k = 0;
    kernel::for_each_term(layer_.profile, [&](const auto& term) {
      put(k++, static_cast<double>(engine::evaluate_pair(term, sums, block_.terms(i), block_.terms(j)).value));
    });
  }
  /// The whole kernel of one pair.
  double pair(index_t i, index_t j) const {
    const auto sums = engine::sums_of_rows<Profile>(block_, i, block_, j);
    return static_cast<double>(engine::evaluate_pair(layer_.profile, sums, block_.terms(i), block_.terms(j)).value);
  }

private:
  engine::layer<T, Profile> layer_;
  engine::packed_rows<T> block_;
};

template <class Exec, class T, class Profile>
kernel_blocks(const Exec&, const engine::layer<T, Profile>&, workspace&) -> kernel_blocks<T, Profile>;

/// require_finite, which names the place, where an element is not finite. All are looked at in the order of memory first, in whole
/// registers: a permutation test of few draws took a twentieth of its time to look at columns row by row.
template <class T>
void require_finite_rows(const char* test, const char* which, const matrix_view<const T>& rows) {
  const bool by_columns = rows.row_stride == 1;
  const matrix_view<const T> along = by_columns ? rows.transposed() : rows;
  for (index_t i = 0; i < along.rows; ++i) {
    int others = 0;
    for (index_t j = 0; j < along.cols; ++j) others |= is_finite(along(i, j)) ? 0 : 1;
    if (others != 0) return require_finite(test, which, rows);
  }
}

/// What a sample of a test must be: rows on the host, without weights.
template <class ZS, class ZT>
auto require_test_samples(const char* test, const ZS& zs, const ZT& zt) {
  using types = two_sample_types<ZS, ZT>;
  static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: tests take tensors in the host's memory");
  const auto source = sample_of(zs), target = sample_of(zt);
  require_two_samples(test, source.rows, target.rows);
  if (source.weights != nullptr || target.weights != nullptr) fail(test, "takes no sample weights: its null law supposes equal ones");
  require_finite_rows(test, "source", source.rows);
  require_finite_rows(test, "target", target.rows);
  return std::pair{source, target};
}

/// Tests of paired samples need n_s = n_t.
template <class S>
void require_paired(const char* test, const S& source, const S& target, index_t least) {
  require_shapes(source.rows.rows == target.rows.rows && source.rows.rows >= least, test,
                 ("needs n_s = n_t >= " + std::to_string(least)).c_str(), source.rows, target.rows);
}

/// Calls use(kernel_blocks) with the kernel bound on both samples. `Cancels`: every row's coefficients in all that is made of the values
/// add up to 0, so that linear terms may be taken around the mean.
template <bool Cancels, class Exec, class T, class Kernel, class Use>
auto with_kernel(const char* test, const Exec& exec, const Kernel& kernel, const sample<T>& source, const sample<T>& target,
                 workspace& scratch, const Use& use) {
  static_assert(kernel_like<Kernel>, "dalib: a test needs a kernel: a type with `using statistic = ...` and operator()(T) -> jet<T>");
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, Kernel>{{source, target}, kernel, matrix_view<T>{}, matrix_view<T>{}});
  return engine::with_units(exec, test, problem.layers(), scratch, [&](const auto& layers) {
    const auto& one = std::get<0>(layers);
    using profile = typename std::remove_cvref_t<decltype(one)>::profile_type;
    if constexpr (Cancels && kernel::has_centred_terms<profile>) {
      using form = kernel::centred_terms<profile>;
      const engine::layer<T, typename form::type> centred{one.data, one.summary, form::of(one.profile), {}, {}};
      return use(kernel_blocks(exec, centred, scratch));
    } else {
      return use(kernel_blocks(exec, one, scratch));
    }
  });
}

} // namespace dalib::inference::detail
