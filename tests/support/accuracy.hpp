/// @file
/// Relative error of the U statistic's gradient against long double, on data that are hard for it.
#pragma once

#include "conformance/samples.hpp"
#include "support/flags.hpp"
#include "support/oracle.hpp"

#include <type_traits>
#include <utility>

namespace support {

/// What the library promises for the relative error of a gradient.
template <class T>
inline constexpr double gradient_bound = (std::is_same_v<T, float> ? 1e-5 : 1e-12) * flag_factor;

/// A kernel and its formula.
template <class Kernel>
struct formula_case {
  Kernel kernel;
  oracle::kernel formula;
};

/// A kernel of the squared distance.
template <class Kernel, class F>
formula_case<Kernel> radial(Kernel kernel, F f) {
  return {kernel, oracle::of(oracle::squared, f)};
}

/// A source and a target sample of 32 features.
template <class T>
struct two_samples {
  conformance::matrix<T> source;
  conformance::matrix<T> target;
};

/// `rows` and 3/4 as many rows of two normal laws with standard deviations 1 and 1.2, shifted by `shift`.
template <class T>
two_samples<T> plain_rows(dalib::index_t rows, double shift) {
  return {conformance::normal_rows<T>(rows, 32, 11, 1, shift), conformance::normal_rows<T>(rows * 3 / 4, 32, 12, 1.2, 0.2 + shift)};
}

/// Row i of the target is row i of the source, moved by `apart` times a normal vector.
template <class T>
two_samples<T> near_rows(dalib::index_t rows, double apart) {
  const auto source = conformance::normal_rows<T>(rows, 32, 11);
  conformance::matrix<T> target = source.topRows(rows * 3 / 4);
  target += conformance::normal_rows<T>(rows * 3 / 4, 32, 12, apart);
  return {source, target};
}

/// Relative error of both gradients together, in the Frobenius norm.
template <class T, class Kernel>
double gradient_error(const formula_case<Kernel>& one, const two_samples<T>& data) {
  const auto weights = oracle::unbiased(data.source.rows(), data.target.rows());
  const auto expected = oracle::evaluate(one.formula, oracle::joint(data.source, data.target), weights);
  const auto result = dalib::value_and_gradient(dalib::mmd{one.kernel, dalib::estimator::unbiased{}}, data.source, data.target);
  return oracle::gradient_error(result.source, result.target, expected.gradient);
}

} // namespace support
