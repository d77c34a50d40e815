/// @file
/// Every form in which a two-sample test can be called, from the one that it offers.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/inference/kernel_blocks.hpp"
#include "dalib/inference/result.hpp"

#include <utility>

namespace dalib::inference {

/// Base of a two-sample test (`struct own : test_forms<own>`), without members: a test has a `name` and
/// `run(exec, source, target, options)`, of samples that were looked at.
///
/// | | |
/// |---|---|
/// | `test(zs, zt)` | by the default execution, alpha 0.05, 999 draws |
/// | `test(zs, zt, options)`, `test(exec, zs, zt)`, `test(exec, zs, zt, options)` | what the caller says |
///
/// zs is (n_s, F), zt is (n_t, F): any tensors of the library in host memory, float or double.
/// @throws std::invalid_argument for empty samples, different numbers of features, rows that are not finite, sample weights, alpha outside
///         (0, 1), and fewer rows than the test needs.
///
/// @code{.cpp}
/// struct first_feature : inference::test_forms<first_feature> { // a test of your own
///   static constexpr const char* name = "first_feature";
///   template <class Exec, class T>
///   inference::test_result run(const Exec&, const sample<T>& zs, const sample<T>& zt, const inference::test_options&) const {
///     return {.p_value = zs.rows(0, 0) == zt.rows(0, 0) ? 1.0 : 0.5};
///   }
/// };
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Ones(2, 3), zt = Eigen::MatrixXd::Ones(4, 3);
/// assert(first_feature{}(zs, zt).p_value == 1 && first_feature{}(exec::serial{}, zs, zt, {.alpha = 0.1}).p_value == 1);
/// @endcode
template <class Test>
struct test_forms {
  template <sample_like ZS, sample_like ZT>
  auto operator()(const ZS& zs, const ZT& zt, const test_options& options = {}) const {
    return (*this)(exec::default_policy{}, zs, zt, options);
  }
  template <class Exec, sample_like ZS, sample_like ZT>
  requires(!sample_like<Exec>) auto operator()(const Exec& exec, const ZS& zs, const ZT& zt, const test_options& options = {}) const {
    require_execution<Exec, sample_memory<ZS>>();
    require_alpha(Test::name, options.alpha);
    const auto [source, target] = detail::require_test_samples(Test::name, zs, zt);
    return static_cast<const Test&>(*this).run(exec, source, target, options);
  }
};

} // namespace dalib::inference
