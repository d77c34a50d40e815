/// @file
/// Every form in which a two-sample test can be called, from the one that it offers.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/execution/openmp.hpp"
#include "dalib/inference/kernel_blocks.hpp"
#include "dalib/inference/result.hpp"
#include "dalib/measure/call.hpp"

#include <type_traits>
#include <utility>

namespace dalib::inference {

namespace detail {
/// The samples of a test, looked at: on the host for every test, on another machine for those that say `any_machine`.
template <class Test, class ZS, class ZT>
auto samples_for(const ZS& zs, const ZT& zt) {
  using Memory = sample_memory<ZS>;
  if constexpr (std::is_same_v<Memory, host_memory> || !requires { Test::any_machine; }) {
    return require_test_samples(Test::name, zs, zt);
  } else {
    static_assert(std::is_same_v<sample_memory<ZT>, Memory>, "dalib: both samples must be in the same memory");
    const auto source = sample_of(zs), target = sample_of(zt);
    require_two_samples(Test::name, source.rows, target.rows);
    if (source.weights != nullptr || target.weights != nullptr)
      fail(Test::name, "takes no sample weights: its null law supposes equal ones");
    backend<Memory>::require_finite(Test::name, "source", source.rows);
    backend<Memory>::require_finite(Test::name, "target", target.rows);
    return std::pair{source, target};
  }
}
} // namespace detail

/// Base of a two-sample test (`struct own : test_forms<own>`), without members: a test has a `name` and
/// `run(exec, source, target, options)`, of samples that were looked at.
///
/// | | |
/// |---|---|
/// | `test(zs, zt)` | by the default execution, alpha 0.05, 999 draws |
/// | `test(zs, zt, options)`, `test(exec, zs, zt)`, `test(exec, zs, zt, options)` | what the caller says |
///
/// zs is (n_s, F), zt is (n_t, F): any tensors of the library, float or double, in host memory; for permutation_test and energy_test also
/// in a device's.
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
    return (*this)(exec::default_for<sample_memory<ZS>>{}, zs, zt, options);
  }
  template <class Exec, sample_like ZS, sample_like ZT>
  requires(!sample_like<Exec>) auto operator()(const Exec& exec, const ZS& zs, const ZT& zt, const test_options& options = {}) const {
    if constexpr (requires { typename Exec::ranks; }) {
      return distributed_call<Exec>::test(static_cast<const Test&>(*this), exec, zs, zt, options);
    } else {
      return on_one_machine(exec, zs, zt, options);
    }
  }

private:
  template <class Exec, class ZS, class ZT>
  auto on_one_machine(const Exec& exec, const ZS& zs, const ZT& zt, const test_options& options) const {
    require_execution<Exec, sample_memory<ZS>>();
    require_alpha(Test::name, options.alpha);
    const auto [source, target] = detail::samples_for<Test>(zs, zt);
    return static_cast<const Test&>(*this).run(exec, source, target, options);
  }
};

} // namespace dalib::inference
