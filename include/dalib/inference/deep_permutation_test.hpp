/// @file
/// The permutation test with a deep kernel.
#pragma once

#include "dalib/inference/deep_kernel.hpp"
#include "dalib/inference/permutation_test.hpp"

#include <tuple>
#include <vector>

namespace dalib::inference {

/// Permutation test with a deep kernel and the unbiased squared MMD, `test(layers(phi_s, x_s), layers(phi_t, x_t))`: exact at any size, as
/// permutation_test, if the network that made the features and the kernel were trained on other rows. O(n^2 (F + H + draws)) time,
/// O(n (F + H + draws)) memory. The same bits for any number of threads. @throws std::invalid_argument as permutation_test, and for
/// features and inputs of different numbers of rows.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(40, 3), y = Eigen::MatrixXd::Random(30, 3).array() + 0.7;
/// const Eigen::MatrixXd phi_x = x.array().square(), phi_y = y.array().square(); // of a network
/// const inference::deep_permutation_test test{inference::deep_kernel{kernel::gaussian{0.5}, kernel::gaussian{1.0}}};
/// assert(test(layers(phi_x, x), layers(phi_y, y), {.draws = 199}).p_value == 1.0 / 200);
/// @endcode
template <class Kernel = deep_kernel<>>
struct deep_permutation_test {
  static constexpr const char* name = "deep_permutation_test";

  Kernel kernel{};

  deep_permutation_test() = default;
  explicit deep_permutation_test(Kernel k) : kernel(k) {}

  template <sample_like... ZS, sample_like... ZT>
  test_result operator()(const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, zs, zt, options);
  }
  template <class Exec, sample_like... ZS, sample_like... ZT>
  test_result operator()(const Exec& exec, const std::tuple<ZS...>& zs, const std::tuple<ZT...>& zt,
                         const test_options& options = {}) const {
    require_alpha(name, options.alpha);
    const auto source = detail::deep_rows_of(zs), target = detail::deep_rows_of(zt);
    detail::require_deep_rows(name, source, target, kernel.epsilon);
    for (std::size_t l = 0; l < 2; ++l) {
      require_finite(name, l == 0 ? "the source's features" : "source", source[l].rows);
      require_finite(name, l == 0 ? "the target's features" : "target", target[l].rows);
    }
    return run(exec, source, target, options);
  }

private:
  template <class Exec, class T>
  test_result run(const Exec& exec, const detail::deep_rows<T>& source, const detail::deep_rows<T>& target,
                  const test_options& options) const {
    const index_t n_s = source[0].rows.rows, n_t = target[0].rows.rows, n = n_s + n_t;
    const permutations orders(name, options, options.given, draw_stream::permutation, n);
    const auto weights = detail::coefficients_of(name, estimator::unbiased{}, source[1], target[1]);
    const auto statistic = detail::indicator_combination::of(weights, n_s, n_t);
    const detail::label_vectors indicators = detail::indicators_of(exec, {&orders}, n_s, n);
    workspace scratch;
    const auto bound = detail::bind_deep(exec, kernel, source, target, scratch);
    return detail::with_deep_values(name, exec, bound, source, target, scratch, [&](const auto& features, const auto& inputs) {
      using tiles_type = detail::deep_tiles<T, typename std::remove_cvref_t<decltype(features)>::profile_type,
                                            typename std::remove_cvref_t<decltype(inputs)>::profile_type>;
      const tiles_type tiles(exec, features, inputs, kernel.epsilon, statistic.own, scratch);
      const auto forms = detail::label_form_pass<T, tiles_type>(tiles, 1, indicators).run(exec);
      std::vector<double> null_sample;
      for (index_t v = 1; v <= orders.count(); ++v) null_sample.push_back(statistic(forms, 0, v));
      return decide(statistic(forms, 0, 0), std::move(null_sample), options);
    });
  }
};

} // namespace dalib::inference
