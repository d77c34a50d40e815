/// @file
/// A visitor of your own on all pairs of two samples.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/check.hpp"
#include "dalib/engine/estimate.hpp"

#include <tuple>
#include <type_traits>

namespace dalib {

/// Shows every ordered pair of rows of the joint sample of zs (n_s, F) and zt (n_t, F) to `visitor`, with the kernel bound on both samples
/// and weighted as the estimator weights it (within the source, within the target and, with the other sign, across), and returns the
/// numbers that the visitor adds up, `[0]` .. `[numbers - 1]`; engine/pair/visitor.hpp says what a visitor sees. If it pulls, `out`
/// receives the gradients, by its scale and mode. Time and memory as mmd; the same bits for any number of threads; on the device where
/// the samples lie there.
/// @throws std::invalid_argument as mmd.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const kernel::gaussian k{1.0};
/// const auto found = visit_pairs(exec::default_policy{}, engine::value_visitor{}, k, estimator::biased{}, zs, zt);
/// assert(found[0] == mmd(k, estimator::biased{})(zs, zt)); // include/dalib/extending.md has a visitor of your own
/// @endcode
template <class Exec, class Visitor, class Kernel, class Estimator, sample_like ZS, sample_like ZT, class T, class Memory>
auto visit_pairs(const Exec& exec, const Visitor& visitor, const Kernel& kernel, const Estimator& estimator, const ZS& zs, const ZT& zt,
                 const gradients<T, Memory>& out) {
  static_assert(full_pair_estimator<Estimator>, "dalib: visit_pairs takes an estimator of all pairs, such as dalib::estimator::unbiased");
  constexpr const char* name = "visit_pairs";
  using types = two_sample_types<ZS, ZT>;
  require_execution<Exec, typename types::memory>();
  const sample<T, Memory> source = sample_of(zs), target = sample_of(zt);
  require_two_samples(name, source.rows, target.rows);
  require_gradients(name, source, target, out);
  workspace_of<Memory> scratch;
  const engine::bound_problem problem(exec, scratch,
                                      engine::layer_input<T, Kernel, Memory>{{source, target}, kernel, out.source, out.target});
  const auto& data = std::get<0>(problem.layers()).data;
  const engine::domain_coefficients<T, Memory> coefficients{data, estimator.coefficients(engine::sizes_of(data, name))};
  return engine::with_units(exec, name, problem.layers(), scratch, [&](const auto& layers) {
    return backend<Memory>::template visit_pairs<accumulator::plain>(exec, visitor, coefficients, layers,
                                                                     engine::gradient_rule<T>{out.scale, out.mode}, scratch);
  });
}
template <class Exec, class Visitor, class Kernel, class Estimator, sample_like ZS, sample_like ZT>
auto visit_pairs(const Exec& exec, const Visitor& visitor, const Kernel& kernel, const Estimator& estimator, const ZS& zs, const ZT& zt) {
  using types = two_sample_types<ZS, ZT>;
  static_assert(!engine::visitor_pulls<Visitor>, "dalib: a visitor that pulls needs gradients{gs, gt} as the last argument of visit_pairs");
  const matrix_view<typename types::value_type, typename types::memory> unwanted;
  return visit_pairs(exec, visitor, kernel, estimator, zs, zt, gradients{unwanted, unwanted});
}

} // namespace dalib
