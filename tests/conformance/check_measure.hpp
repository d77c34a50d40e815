/// @file
/// Laws of every two-sample measure that writes gradients: `conformance::check_measure(my_measure)`.
#pragma once

#include "check_execution.hpp"
#include "differences.hpp"
#include "place.hpp"

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace conformance {

/// Sizes on which a measure is tried.
struct measure_options {
  dalib::index_t source_rows = 7;
  dalib::index_t target_rows = 5;
  dalib::index_t features = 4;
  bool detached_parts = false; ///< something inside has no gradient (a data-driven bandwidth): differences do not apply
  std::uint64_t seed = 1;
};

namespace detail {

/// `call` throws std::invalid_argument whose text holds all of `words`.
inline void require_refusal(report& found, const std::string& what, std::initializer_list<std::string> words,
                            const std::function<void()>& call) {
  try {
    call();
    found.require(false, what + ": was not refused");
  } catch (const std::invalid_argument& error) {
    for (const std::string& word : words)
      found.require(std::string_view(error.what()).find(word) != std::string_view::npos,
                    what + ": `" + error.what() + "` does not say `" + word + "`");
  }
}

template <class Measure, class T>
report check_gradient_modes(const Measure& measure, const matrix<T>& zs, const matrix<T>& zt) {
  report found;
  const dalib::exec::serial serial;
  matrix<T> gs(zs.rows(), zs.cols()), gt(zt.rows(), zt.cols());
  gs.setConstant(std::numeric_limits<T>::quiet_NaN());
  gt.setConstant(std::numeric_limits<T>::quiet_NaN());
  const T value = measure.value_and_gradient(serial, zs, zt, dalib::gradients{gs, gt});
  found.require(gs.allFinite() && gt.allFinite(), "overwrite replaces every element, even NaN");
  const double tolerance = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());

  matrix<T> reversed_s(zs.rows(), zs.cols()), reversed_t(zt.rows(), zt.cols());
  const T same = measure.value_and_gradient(serial, zs, zt, dalib::gradients{reversed_s, reversed_t, T(-0.5)});
  found.require(same_bits(same, value), "the scale does not change the value");
  found.require_small(relative_difference(reversed_s, gs * T(-0.5)) + relative_difference(reversed_t, gt * T(-0.5)), tolerance,
                      "a negative scale reverses the gradient");

  matrix<T> added_s = matrix<T>::Constant(zs.rows(), zs.cols(), T(2)), added_t = matrix<T>::Constant(zt.rows(), zt.cols(), T(-3));
  measure.value_and_gradient(serial, zs, zt, dalib::gradients{added_s, added_t, T(2), dalib::write_mode::accumulate});
  found.require_small(relative_difference(added_s, (gs.array() * T(2) + T(2)).matrix()), tolerance, "accumulate adds to the source's");
  found.require_small(relative_difference(added_t, (gt.array() * T(2) - T(3)).matrix()), tolerance, "accumulate adds to the target's");

  matrix<T> only(zs.rows(), zs.cols());
  found.require(same_bits(measure.value_and_gradient(serial, zs, zt, dalib::gradients<T>{only, dalib::matrix_view<T>{}}), value) &&
                    same_bits(only, gs),
                "the source's gradient alone");
  only.resize(zt.rows(), zt.cols());
  found.require(same_bits(measure.value_and_gradient(serial, zs, zt, dalib::gradients<T>{dalib::matrix_view<T>{}, only}), value) &&
                    same_bits(only, gt),
                "the target's gradient alone");
  return found;
}

template <class Measure>
report check_refusals(const Measure& measure, const matrix<double>& zs, const matrix<double>& zt) {
  report found;
  const dalib::index_t n = zs.rows(), m = zt.rows(), features = zs.cols();
  const auto shape = [](dalib::index_t rows, dalib::index_t cols) { return std::to_string(rows) + " x " + std::to_string(cols); };
  matrix<double> gs = matrix<double>::Constant(n, features, 42), gt = matrix<double>::Constant(m, features, 42);
  const auto call = [&](const matrix<double>& a, const matrix<double>& b) { measure.value_and_gradient(a, b, dalib::gradients{gs, gt}); };
  const matrix<double> wide = matrix<double>::Zero(m, features + 1), no_rows(0, features), no_cols(n, 0), no_cols_t(m, 0);
  const std::string name = Measure::name;
  require_refusal(found, "other number of features", {name, shape(n, features), shape(m, features + 1)}, [&] { call(zs, wide); });
  require_refusal(found, "no source samples", {name, shape(0, features), shape(m, features)}, [&] { call(no_rows, zt); });
  require_refusal(found, "no target samples", {name, shape(n, features), shape(0, features)}, [&] { call(zs, no_rows); });
  require_refusal(found, "no features", {name, shape(n, 0), shape(m, 0)}, [&] { call(no_cols, no_cols_t); });
  require_refusal(found, "value only, other number of features", {name, shape(m, features + 1)}, [&] { measure(zs, wide); });
  matrix<double> short_s = matrix<double>::Constant(n - 1, features, 42), thin_t = matrix<double>::Constant(m, features - 1, 42);
  require_refusal(found, "source gradient of another shape", {name, shape(n, features), shape(n - 1, features)}, [&] {
    measure.value_and_gradient(zs, zt, dalib::gradients{short_s, gt});
  });
  require_refusal(found, "target gradient of another shape", {name, shape(m, features), shape(m, features - 1)}, [&] {
    measure.value_and_gradient(zs, zt, dalib::gradients{gs, thin_t});
  });
  found.require((gs.array() == 42).all() && (gt.array() == 42).all() && (short_s.array() == 42).all() && (thin_t.array() == 42).all(),
                "a refused call leaves the outputs untouched");
  return found;
}

} // namespace detail

/// Gradient against differences and not zero; scale, accumulate and one gradient alone; every wrong shape refused with the measure's name
/// and both shapes before anything is written; the same bits by any execution policy tried.
/// @param place  where the measure runs; see place.hpp
template <class Measure, class Place = tested_place>
report check_measure(const Measure& checked_measure, const measure_options& options = {}, Place place = {}) {
  report found;
  const auto measure = place.measure(checked_measure);
  const matrix<double> zs = normal_rows<double>(options.source_rows, options.features, options.seed);
  const matrix<double> zt = normal_rows<double>(options.target_rows, options.features, options.seed + 1, 1.2, 0.5);
  if (!options.detached_parts) {
    const auto result = dalib::value_and_gradient(measure, zs, zt);
    const auto expected = central_differences(measure, zs, zt);
    found.require_small(relative_difference(result.source, expected.source), 1e-7, "gradient of the source against differences");
    found.require_small(relative_difference(result.target, expected.target), 1e-7, "gradient of the target against differences");
    found.require(result.source.norm() > 1e-8 && result.target.norm() > 1e-8, "the gradient is not identically zero");
  }
  found.add(detail::check_gradient_modes(measure, zs, zt));
  const matrix<float> zs32 = zs.cast<float>(), zt32 = zt.cast<float>();
  found.add(detail::check_gradient_modes(measure, zs32, zt32));
  found.add(detail::check_refusals(measure, zs, zt));
  found.add(check_same_bits(dalib::exec::default_policy{}, measure, zs, zt, "default execution"));
  return found;
}

} // namespace conformance
