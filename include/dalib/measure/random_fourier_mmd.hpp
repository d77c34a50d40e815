/// @file
/// The MMD by random Fourier features, in O(n F D) for any number of rows.
#pragma once

#include "dalib/core/gradient.hpp"
#include "dalib/core/random.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/radial.hpp"
#include "dalib/measure/coral.hpp"
#include "dalib/measure/two_sample_measure.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace dalib {

/// Spectral density of a bound kernel of the distance (Bochner): a frequency is a vector of standard normals times `length(profile, more)`,
/// where `more()` gives further standard normals. A kernel of your own joins by a specialisation.
///
/// @code{.cpp}
/// Eigen::MatrixXd frequencies(3, 2000);
/// fill_frequencies(frequencies, kernel::gaussian_profile{.rate = 0.5}, 1); // sigma = 1: standard normals
/// assert(std::abs(frequencies.squaredNorm() / 6000 - 1) < 0.1);
/// static_assert(spectral_density<kernel::laplacian_profile>::known && !spectral_density<kernel::energy>::known);
/// @endcode
template <class Profile>
struct spectral_density {
  static constexpr bool known = false;
};
template <>
struct spectral_density<kernel::gaussian_profile> {
  static constexpr bool known = true;
  template <class Normals>
  static double length(const kernel::gaussian_profile& k, const Normals&) {
    return std::sqrt(2 * k.rate);
  }
};

namespace detail {
/// Of Matern kernels with 2 nu = `Degrees` (the Laplacian has 1): Student's t, normals over the root of a chi-squared number.
template <int Degrees>
struct student_density {
  static constexpr bool known = true;
  template <class Profile, class Normals>
  static double length(const Profile& k, const Normals& more) {
    double square = 0;
    for (int i = 0; i < Degrees; ++i) {
      const double x = more();
      square += x * x;
    }
    return k.rate / std::sqrt(square);
  }
};
} // namespace detail
template <>
struct spectral_density<kernel::laplacian_profile> : detail::student_density<1> {};
template <>
struct spectral_density<kernel::matern_profile<kernel::matern_order::three_halves>> : detail::student_density<3> {};
template <>
struct spectral_density<kernel::matern_profile<kernel::matern_order::five_halves>> : detail::student_density<5> {};

/// Fills (F, D) with D frequencies from the spectral density of a bound kernel: pure functions of the seed.
template <matrix_like M, class Profile>
void fill_frequencies(M& frequencies, const Profile& profile, std::uint64_t seed) {
  static_assert(spectral_density<Profile>::known,
                "dalib: the spectral density of this kernel is not known; specialise dalib::spectral_density");
  const auto to = view_of(frequencies);
  using T = typename decltype(to)::value_type;
  std::uint64_t counter = 0;
  const auto next = [&] { return standard_normal(seed, counter++); };
  for (index_t d = 0; d < to.cols; ++d) {
    const double length = spectral_density<Profile>::length(profile, next);
    for (index_t f = 0; f < to.rows; ++f) to(f, d) = static_cast<T>(length * next());
  }
}

namespace detail {

/// Shared by both kinds of features: cosines and sines of the projections, and what the value and the gradients need.
template <class T>
struct wave_inputs {
  matrix_view<const T> source, target, frequencies, phase; ///< phase (1, D), or no data
};

template <class T>
struct waves {
  matrix_view<T> cosine, sine;
};

template <class Exec, class T>
waves<T> waves_of(const Exec& exec, const wave_inputs<T>& in, const matrix_view<const T>& rows, workspace& scratch) {
  const waves<T> result{scratch_matrix<T>(scratch, rows.rows, in.frequencies.cols),
                        scratch_matrix<T>(scratch, rows.rows, in.frequencies.cols)};
  engine::product<Exec, T, host_memory>(exec, rows, in.frequencies, result.cosine, {}, scratch);
  backend<host_memory>::for_each_entry(exec, rows.rows, in.frequencies.cols, [&](index_t i, index_t first, index_t count) {
    for (index_t d = first; d < first + count; ++d) {
      const T angle = result.cosine(i, d) + (in.phase.data ? in.phase(0, d) : T(0));
      result.cosine(i, d) = std::cos(angle);
      result.sine(i, d) = std::sin(angle);
    }
  });
  return result;
}

/// amplitude (mean_s - mean_t) of the cosines, and of the sines unless there is a phase.
template <class Exec, class T>
std::span<const double> wave_gap(const Exec& exec, const wave_inputs<T>& in, const waves<T>& s, const waves<T>& t, double amplitude,
                                 workspace& scratch) {
  const index_t count = in.frequencies.cols, all = in.phase.data ? count : 2 * count;
  double* const gap = scratch.template allocate<double>(all);
  const auto fill = [&](const matrix_view<T>& of_s, const matrix_view<T>& of_t, double* to) {
    const double *mean_s = column_means(exec, of_s, scratch), *mean_t = column_means(exec, of_t, scratch);
    for (index_t d = 0; d < count; ++d) to[d] = amplitude * (mean_s[d] - mean_t[d]);
  };
  fill(s.cosine, t.cosine, gap);
  if (!in.phase.data) fill(s.sine, t.sine, gap + count);
  return {gap, static_cast<std::size_t>(all)};
}

inline double wave_amplitude(index_t features, bool with_phase) {
  return std::sqrt((with_phase ? 2.0 : 1.0) / static_cast<double>(features));
}

/// Value, and gradients of the samples, the frequencies and the phase.
template <bool Gradient, class Call, class T>
double wave_distance(const Call& call, const wave_inputs<T>& in, const gradients<T>& out, const gradient<T>& of_frequencies,
                     const gradient<T>& of_phase) {
  const auto& exec = call.execution;
  using Exec = std::remove_cvref_t<decltype(exec)>;
  const index_t count = in.frequencies.cols;
  const double amplitude = wave_amplitude(count, in.phase.data != nullptr);
  const waves<T> s = waves_of(exec, in, in.source, call.scratch), t = waves_of(exec, in, in.target, call.scratch);
  const std::span<const double> gap = wave_gap(exec, in, s, t, amplitude, call.scratch);
  double value = 0;
  for (const double apart : gap) value += apart * apart;
  if constexpr (Gradient) {
    const auto slopes = [&](const waves<T>& of, double sign) { // with respect to the projections, in place of the sines
      const double share = sign * 2 * amplitude / static_cast<double>(of.sine.rows);
      backend<host_memory>::for_each_entry(exec, of.sine.rows, count, [&](index_t i, index_t first, index_t cols) {
        for (index_t d = first; d < first + cols; ++d) {
          const auto at = static_cast<std::size_t>(d);
          double slope = -gap[at] * static_cast<double>(of.sine(i, d));
          if (!in.phase.data) slope += gap[at + static_cast<std::size_t>(count)] * static_cast<double>(of.cosine(i, d));
          of.sine(i, d) = static_cast<T>(share * slope);
        }
      });
      return matrix_view<const T>(of.sine);
    };
    const matrix_view<const T> g_s = slopes(s, 1), g_t = slopes(t, -1);
    const auto kept = [](write_mode mode) { return mode == write_mode::accumulate ? T(1) : T(0); };
    const auto multiply = [&](const matrix_view<const T>& a, const matrix_view<const T>& b, const matrix_view<T>& to, T scale, T beta) {
      if (to.data) engine::product<Exec, T, host_memory>(exec, a, b, to, {scale, beta}, call.scratch);
    };
    multiply(g_s, in.frequencies.transposed(), out.source, out.scale, kept(out.mode));
    multiply(g_t, in.frequencies.transposed(), out.target, out.scale, kept(out.mode));
    multiply(in.source.transposed(), g_s, of_frequencies.target, of_frequencies.scale, kept(of_frequencies.mode));
    multiply(in.target.transposed(), g_t, of_frequencies.target, of_frequencies.scale, T(1));
    if (of_phase.target.data) {
      const double *mean_s = column_means(exec, g_s, call.scratch), *mean_t = column_means(exec, g_t, call.scratch);
      const matrix_view<double> sums = scratch_matrix<double>(call.scratch, 1, count);
      for (index_t d = 0; d < count; ++d)
        sums(0, d) = mean_s[d] * static_cast<double>(g_s.rows) + mean_t[d] * static_cast<double>(g_t.rows);
      write_gradient(exec, sums, of_phase.target, of_phase.scale, of_phase.mode);
    }
  }
  return value;
}

template <class T>
void require_waves(const char* measure, const wave_inputs<T>& in) {
  require_two_samples(measure, in.source, in.target);
  require_shapes(in.frequencies.rows == in.source.cols && in.frequencies.cols > 0, measure,
                 "frequencies must be (F, D) with as many rows as samples have features", in.source, in.frequencies);
}

} // namespace detail

/// MMD by random Fourier features (Rahimi and Recht 2007; Zhao and Meng 2015 for two samples):
///
///     |mean phi(z_s) - mean phi(z_t)|^2,   phi(z) = (cos(z omega), sin(z omega)) / sqrt(D)
///
/// an estimate of the biased squared MMD of the kernel that the frequencies are drawn from (fill_frequencies), with an error of
/// O(1 / sqrt(D)). Inputs are z_s (n_s, F), z_t (n_t, F) and the frequencies omega (F, D), constants unless a further `gradient{g}` takes
/// theirs. O((n_s + n_t) F D) by two products, memory (n_s + n_t) D; host only.
/// @throws std::invalid_argument for empty domains, shapes that do not fit, gradients of the wrong shape.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(20, 3), z_t = Eigen::MatrixXd::Random(16, 3).array() + 0.5;
/// Eigen::MatrixXd frequencies(3, 4000);
/// fill_frequencies(frequencies, kernel::gaussian_profile{.rate = 0.5}, 3);
/// const double exact = mmd{kernel::gaussian{1.0}, estimator::biased{}}(z_s, z_t);
/// assert(std::abs(random_fourier_mmd{}(z_s, z_t, frequencies) - exact) < 0.1 * exact);
/// @endcode
struct random_fourier_mmd : call_forms<random_fourier_mmd> {
  static constexpr const char* name = "random_fourier_mmd";
  static constexpr std::size_t arity = 3;
  static constexpr std::array<const char*, 3> argument_names = {"the source", "the target", "the frequencies"};
  using differentiable = std::index_sequence<0, 1>;

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT, class W>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt, const W& frequencies) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: random_fourier_mmd works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, ZS, ZT, W>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    const auto of_frequencies = call.template output<1>(gradient<T>{});
    const detail::wave_inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(frequencies), {}};
    detail::require_waves(name, in);
    require_gradients(name, sample<T>{in.source}, sample<T>{in.target}, out);
    require_gradient_shape(name, in.frequencies, of_frequencies.target);
    require_apart(name, {in.source, in.target, in.frequencies}, {out.source, out.target, of_frequencies.target});
    const workspace_scope scope(call.scratch);
    return static_cast<T>(detail::wave_distance<Call::wants_gradient>(call, in, out, of_frequencies, gradient<T>{}));
  }

  /// mean phi(z_s) - mean phi(z_t): D cosines, then D sines.
  template <matrix_like ZS, matrix_like ZT, matrix_like W>
  std::vector<double> mean_difference(const ZS& zs, const ZT& zt, const W& frequencies) const {
    using T = value_type_of<ZS>;
    const detail::wave_inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(frequencies), {}};
    detail::require_waves(name, in);
    const exec::default_policy exec;
    workspace scratch;
    const auto s = detail::waves_of(exec, in, in.source, scratch), t = detail::waves_of(exec, in, in.target, scratch);
    const auto gap = detail::wave_gap(exec, in, s, t, detail::wave_amplitude(in.frequencies.cols, false), scratch);
    return {gap.begin(), gap.end()};
  }
};

/// The same with cosines of a random phase, phi(z) = sqrt(2/D) cos(z omega + phase): inputs z_s, z_t, omega (F, D) and phase (1, D),
/// uniform on 0 .. 2 pi; further gradients `gradients{g_omega, g_phase}`. Cost and errors as random_fourier_mmd.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z_s = Eigen::MatrixXd::Random(20, 3), z_t = Eigen::MatrixXd::Random(16, 3);
/// Eigen::MatrixXd frequencies(3, 64), g_s(20, 3), g_t(16, 3);
/// fill_frequencies(frequencies, kernel::gaussian_profile{}, 3);
/// const Eigen::MatrixXd phase = 3 * Eigen::MatrixXd::Random(1, 64);
/// assert(random_cosine_mmd{}.value_and_gradient(z_s, z_t, frequencies, phase, gradients{g_s, g_t}) > 0);
/// @endcode
struct random_cosine_mmd : call_forms<random_cosine_mmd> {
  static constexpr const char* name = "random_cosine_mmd";
  static constexpr std::size_t arity = 4;
  static constexpr std::array<const char*, 4> argument_names = {"the source", "the target", "the frequencies", "the phase"};
  using differentiable = std::index_sequence<0, 1>;

  /// The operation that every form of call comes down to.
  template <class Call, class ZS, class ZT, class W, class P>
  auto evaluate(const Call& call, const ZS& zs, const ZT& zt, const W& frequencies, const P& phase) const {
    using types = two_sample_types<ZS, ZT>;
    using T = typename types::value_type;
    static_assert(std::is_same_v<typename types::memory, host_memory>, "dalib: random_cosine_mmd works on tensors of the host");
    require_tensor_types<T, host_memory, typename Call::execution_type, ZS, ZT, W, P>();
    const auto out = call.template output<0>(no_gradients<T, host_memory>());
    require_gradient_types<types>(out);
    const auto of_waves = call.template output<1>(no_gradients<T, host_memory>());
    const detail::wave_inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(frequencies), const_view_of(phase)};
    detail::require_waves(name, in);
    require_shapes(in.phase.rows == 1 && in.phase.cols == in.frequencies.cols, name, "the phase must be (1, D)", in.frequencies, in.phase);
    require_gradients(name, sample<T>{in.source}, sample<T>{in.target}, out);
    require_gradient_shape(name, in.frequencies, of_waves.source);
    require_gradient_shape(name, in.phase, of_waves.target);
    require_apart(name, {in.source, in.target, in.frequencies, in.phase}, {out.source, out.target, of_waves.source, of_waves.target});
    const workspace_scope scope(call.scratch);
    return static_cast<T>(detail::wave_distance<Call::wants_gradient>(call, in, out,
                                                                      gradient<T>{of_waves.source, of_waves.scale, of_waves.mode},
                                                                      gradient<T>{of_waves.target, of_waves.scale, of_waves.mode}));
  }

  /// mean phi(z_s) - mean phi(z_t): one number for each frequency.
  template <matrix_like ZS, matrix_like ZT, matrix_like W, matrix_like P>
  std::vector<double> mean_difference(const ZS& zs, const ZT& zt, const W& frequencies, const P& phase) const {
    using T = value_type_of<ZS>;
    const detail::wave_inputs<T> in{const_view_of(zs), const_view_of(zt), const_view_of(frequencies), const_view_of(phase)};
    detail::require_waves(name, in);
    require_shapes(in.phase.rows == 1 && in.phase.cols == in.frequencies.cols, name, "the phase must be (1, D)", in.frequencies, in.phase);
    const exec::default_policy exec;
    workspace scratch;
    const auto s = detail::waves_of(exec, in, in.source, scratch), t = detail::waves_of(exec, in, in.target, scratch);
    const auto gap = detail::wave_gap(exec, in, s, t, detail::wave_amplitude(in.frequencies.cols, true), scratch);
    return {gap.begin(), gap.end()};
  }
};

} // namespace dalib
