/// @file
/// The MMD by the Nystrom method: kernels with a few landmarks only.
#pragma once

#include "dalib/core/gradient.hpp"
#include "dalib/measure/decompositions.hpp"
#include "dalib/measure/score_measure.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace dalib {

/// MMD by the Nystrom method with q landmarks (Williams and Seeger 2001; Chatalic et al. 2022 for the MMD), Gaussian kernel:
///
///     v' (k(L, L) + ridge I)^-1 v,   v = mean_i k(z_s,i, L) - mean_j k(z_t,j, L),   k = exp(-|x - y|^2 / (2 sigma^2))
///
/// Inputs are z_s (n_s, F), z_t (n_t, F) and the landmarks L (q, F), constants unless a further `gradient{g}` takes theirs. With all rows
/// as landmarks and no ridge it is the biased squared MMD. O((n_s + n_t) q F + q^2 F + q^3), by Eigen's Cholesky decomposition in double;
/// host only.
/// @throws std::invalid_argument for empty domains, shapes that do not fit, gradients of the wrong shape, a sigma that is not positive, a
/// negative ridge, and where k(L, L) + ridge I is singular up to rounding, as with two equal landmarks and no ridge.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(5, 3), z_t = Eigen::MatrixXd::Random(4, 3);
/// Eigen::MatrixXd all(9, 3);
/// all << z_s, z_t;
/// const double exact = mmd{kernel::gaussian{1.0}, estimator::biased{}}(z_s, z_t);
/// assert(std::abs(nystrom_mmd{1, 0}(z_s, z_t, all) - exact) < 1e-9);
/// @endcode
struct nystrom_mmd : call_forms<nystrom_mmd> {
  static constexpr const char* name = "nystrom_mmd";
  static constexpr std::size_t arity = 3;
  static constexpr std::array<const char*, 3> argument_names = {"the source", "the target", "the landmarks"};
  using differentiable = std::index_sequence<0, 1>;

  double sigma;
  double ridge;

  explicit nystrom_mmd(double length = 1, double regularisation = 1e-3) : sigma(length), ridge(regularisation) {}

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT, class L>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt, const L& landmarks) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: nystrom_mmd works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, ZS, ZT, L>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    const auto of_landmarks = call.template output<1>(gradient<T>{});
    return run<Call::wants_gradient>(call, inputs<T>{const_view_of(zs), const_view_of(zt), const_view_of(landmarks)}, out, of_landmarks);
  }

  /// v: one number for each landmark.
  template <matrix_like ZS, matrix_like ZT, matrix_like L>
  std::vector<double> mean_difference(const ZS& zs, const ZT& zt, const L& landmarks) const {
    using T = value_type_of<ZS>;
    const inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(landmarks)};
    require_inputs(in);
    workspace scratch;
    const exec::default_policy exec;
    const detail::scratch_algebra work(exec, scratch);
    const double* const v = gap(work, kernel_of(work, in.source, in.landmarks), kernel_of(work, in.target, in.landmarks));
    return {v, v + in.landmarks.rows};
  }

private:
  using matrix = detail::real_matrix;

  template <class T>
  struct inputs {
    matrix_view<const T> source, target, landmarks;
  };

  template <class T>
  void require_inputs(const inputs<T>& in) const {
    require_two_samples(name, in.source, in.target);
    require_shapes(in.landmarks.cols == in.source.cols && in.landmarks.rows > 0, name, "landmarks must be (q, F)", in.source, in.landmarks);
    detail::require_positive(name, "sigma", sigma);
    detail::require_not_negative(name, "the ridge", ridge);
  }

  /// k(landmark, row), a column for each row.
  template <class Exec, class T>
  matrix kernel_of(const detail::scratch_algebra<Exec>& work, const matrix_view<const T>& rows,
                   const matrix_view<const T>& landmarks) const {
    const matrix k = work.matrix(rows.rows, landmarks.rows).transposed();
    backend<host_memory>::for_each_row(work.exec, rows.rows, [&](index_t i) {
      for (index_t l = 0; l < landmarks.rows; ++l) {
        double square = 0;
        for (index_t f = 0; f < rows.cols; ++f) {
          const double apart = static_cast<double>(rows(i, f)) - static_cast<double>(landmarks(l, f));
          square += apart * apart;
        }
        k(l, i) = std::exp(-square / (2 * sigma * sigma));
      }
    });
    return k;
  }
  template <class Exec>
  static double* gap(const detail::scratch_algebra<Exec>& work, const matrix& s, const matrix& t) {
    const detail::const_real_matrix rows_s = s.transposed(), rows_t = t.transposed();
    double* const v = detail::column_means(work.exec, rows_s, work.scratch);
    const double* const mean_t = detail::column_means(work.exec, rows_t, work.scratch);
    for (index_t l = 0; l < s.rows; ++l) v[l] -= mean_t[l];
    return v;
  }

  template <bool Gradient, class Call, class T>
  T run(const Call& call, const inputs<T>& in, const gradients<T>& out, const gradient<T>& of_landmarks) const {
    require_inputs(in);
    require_gradients(name, sample<T>{in.source}, sample<T>{in.target}, out);
    require_gradient_shape(name, in.landmarks, of_landmarks.target);
    require_apart(name, {in.source, in.target, in.landmarks}, {out.source, out.target, of_landmarks.target});
    const workspace_scope scope(call.scratch);
    const detail::scratch_algebra work(call.execution, call.scratch);
    const index_t count = in.landmarks.rows;
    const matrix s = kernel_of(work, in.source, in.landmarks), t = kernel_of(work, in.target, in.landmarks);
    const matrix own = kernel_of(work, in.landmarks, in.landmarks);
    const double *const v = gap(work, s, t), *const alpha = solve(work, own, v);
    if constexpr (Gradient) {
      // Slope of the kernel of a row and a landmark; moving the row pulls it to the landmark by k / sigma^2, and the other way round.
      const matrix pulls = work.zeros(count, in.landmarks.cols);
      const auto times_alpha = [&](double factor) {
        return work.filled(1, count, [&](index_t, index_t l) { return factor * alpha[l]; }).data;
      };
      const auto of_domain = [&](const matrix& k, const matrix_view<const T>& rows, const matrix_view<T>& to, double sign) {
        const double* const slope = times_alpha(2 * sign / static_cast<double>(rows.rows));
        write_rows(call, k, slope, rows, in.landmarks, to, out);
        if (of_landmarks.target.data) pull_landmarks(k, slope, rows, in.landmarks, pulls);
      };
      of_domain(s, in.source, out.source, 1);
      of_domain(t, in.target, out.target, -1);
      if (of_landmarks.target.data) { // -alpha' dK alpha: each pair of landmarks pulls both ways
        pull_landmarks(work.scaled(own, times_alpha(-2)), alpha, in.landmarks, in.landmarks, pulls);
        detail::write_gradient(call.execution, pulls, of_landmarks.target, of_landmarks.scale, of_landmarks.mode);
      }
    }
    return static_cast<T>(std::inner_product(v, v + count, alpha, 0.0));
  }

  template <class Exec>
  double* solve(const detail::scratch_algebra<Exec>& work, const matrix& own, const double* v) const {
    const matrix regular = work.filled(own.rows, own.cols, [&](index_t i, index_t j) { return own(i, j) + (i == j ? ridge : 0); });
    double* const alpha = work.filled(1, own.rows, [&](index_t, index_t l) { return v[l]; }).data;
    if (!detail::solve_in_place<double>(regular.data, own.rows, alpha))
      fail(name, "the landmarks' kernel matrix is singular; take a ridge, or other landmarks");
    return alpha;
  }

  /// Adds sum_i slope_l k_li (row_i - landmark_l) / sigma^2 to every landmark.
  template <class T>
  void pull_landmarks(const matrix& k, const double* slope, const matrix_view<const T>& rows, const matrix_view<const T>& landmarks,
                      const matrix& to) const {
    for (index_t l = 0; l < landmarks.rows; ++l)
      for (index_t i = 0; i < rows.rows; ++i) {
        const double weight = slope[l] * k(l, i) / (sigma * sigma);
        for (index_t f = 0; f < rows.cols; ++f)
          to(l, f) += weight * (static_cast<double>(rows(i, f)) - static_cast<double>(landmarks(l, f)));
      }
  }

  template <class Call, class T>
  void write_rows(const Call& call, const matrix& k, const double* slope, const matrix_view<const T>& rows,
                  const matrix_view<const T>& landmarks, const matrix_view<T>& to, const gradients<T>& out) const {
    if (to.data == nullptr) return;
    backend<host_memory>::for_each_row(call.execution, rows.rows, [&](index_t i) {
      for (index_t f = 0; f < rows.cols; ++f) {
        double sum = 0;
        for (index_t l = 0; l < landmarks.rows; ++l)
          sum += slope[l] * k(l, i) * (static_cast<double>(landmarks(l, f)) - static_cast<double>(rows(i, f)));
        const T value = static_cast<T>(static_cast<double>(out.scale) * sum / (sigma * sigma));
        to(i, f) = out.mode == write_mode::accumulate ? to(i, f) + value : value;
      }
    });
  }
};

} // namespace dalib
