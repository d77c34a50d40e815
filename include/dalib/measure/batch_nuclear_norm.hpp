/// @file
/// Batch nuclear norm maximisation.
#pragma once

#include "dalib/engine/row/softmax.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>

namespace dalib {

/// What a batch nuclear norm is divided by.
enum class nuclear_normalisation {
  rows,           ///< n, as in the paper
  singular_values ///< min(n, C), as in its code
};

/// Batch nuclear norm maximisation (BNM, Cui et al. 2020, eq. 6), to be minimised:
///
///     -|P|_* / n,   P = softmax of the logits (n, C), |P|_* the sum of its singular values
///
/// It is smallest where predictions are sure and various. The gradient with respect to P is that of the nuclear norm, U V' / n over the
/// singular values that are not 0 up to rounding, so that equal rows have one too. A tensor (n, C, d1, ..., dK) is n d1 ... dK rows. O(n C
/// min(n, C)), by Eigen, in double; host only. fast_batch_nuclear_norm needs no decomposition.
/// @throws std::invalid_argument for an empty tensor or a gradient of another shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd sure = 1e3 * Eigen::MatrixXd::Identity(4, 4), same = Eigen::MatrixXd::Zero(4, 4);
/// assert(std::abs(batch_nuclear_norm{}(sure) + 1) < 1e-12);   // P = I
/// assert(std::abs(batch_nuclear_norm{}(same) + 0.25) < 1e-12); // one singular value, 1
/// const Eigen::MatrixXd many = Eigen::MatrixXd::Random(8, 4);
/// const batch_nuclear_norm mean_value{nuclear_normalisation::singular_values};
/// assert(std::abs(mean_value(many) - 2 * batch_nuclear_norm{}(many)) < 1e-14); // divided by 4, not by 8
/// @endcode
struct batch_nuclear_norm : score_measure<batch_nuclear_norm> {
  static constexpr const char* name = "batch_nuclear_norm";

  nuclear_normalisation normalisation;

  explicit batch_nuclear_norm(nuclear_normalisation by = nuclear_normalisation::rows) : normalisation(by) {}

  template <bool Gradient, class T, class Exec, class Memory>
  T of_scores(const Exec& exec, const class_rows<const T, Memory>& rows, const gradient<T, Memory>& out,
              workspace_of<Memory>& scratch) const {
    static_assert(std::is_same_v<Memory, host_memory>,
                  "dalib: batch_nuclear_norm works on the host; fast_batch_nuclear_norm on devices too");
    const index_t n = rows.rows(), classes = rows.classes();
    const detail::scratch_algebra work(exec, scratch);
    const detail::real_matrix p = work.matrix(n, classes);
    exec.run(n, [&](index_t i, int) {
      const T* const row = rows.row(i);
      double* const to = &p(i, 0);
      for (index_t c = 0; c < classes; ++c) to[c] = static_cast<double>(row[c * rows.class_stride()]);
      engine::softmax_in_place(engine::class_column<double>{to, 1, classes});
    });
    const detail::thin_svd svd = detail::svd_of(work, p);
    const double divisor = static_cast<double>(normalisation == nuclear_normalisation::rows ? n : std::min(n, classes));
    if constexpr (Gradient)
      if (out.target.data) {
        const detail::real_matrix slopes = detail::outer_product(work, svd, svd.rank());
        const auto to = rows.like(out.target);
        exec.run(n, [&](index_t i, int) {
          const engine::class_column<double> one{&p(i, 0), 1, classes};
          const double* const slope = &slopes(i, 0);
          engine::pull_softmax(one, -static_cast<double>(out.scale) / divisor, [&](index_t c) { return slope[c]; });
          T* const row = to.row(i);
          for (index_t c = 0; c < classes; ++c) {
            T& entry = row[c * to.class_stride()];
            entry = static_cast<T>(one[c]) + (out.mode == write_mode::accumulate ? entry : T(0));
          }
        });
      }
    return static_cast<T>(-std::accumulate(svd.values, svd.values + svd.size(), 0.0) / divisor);
  }
};

} // namespace dalib
