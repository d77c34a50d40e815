/// @file
/// The estimate of each kernel of a sum, or of each layer, alone.
#pragma once

#include "dalib/engine/estimate.hpp"

#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>

namespace dalib::engine {

/// Whether an estimator's terms are found in one pass: all pairs, and statistics that no shift changes, whose sums need no care for each
/// term.
template <class Estimator, class Profile>
inline constexpr bool terms_in_one_pass = full_pair_estimator<Estimator> && !reads<Profile>::shift && kernel::most_terms<Profile> != 1;

/// values[k] = the estimate of term k of a bound layer's kernel, in the order of kernel::for_each_term. Where terms_in_one_pass, one pass
/// over the pairs for all, with one exponential for a ladder's terms; else one pass for each.
template <class Exec, class Estimator, class T, class Profile, class Memory>
void term_values(const Exec& exec, const Estimator& estimator, const layer<T, Profile, Memory>& one, const char* measure,
                 std::span<double> values, workspace_of<Memory>& scratch) {
  const matrix_view<T, Memory> unwanted;
  if constexpr (terms_in_one_pass<Estimator, Profile>) {
    const workspace_mark mark(scratch);
    const domain_coefficients<T, Memory> coefficients{one.data, estimator.coefficients(sizes_of(one.data, measure))};
    const std::tuple layers{layer<T, Profile, Memory>{one.data, one.summary, one.profile, unwanted, unwanted}};
    const term_visitor<kernel::most_terms<Profile>> visitor{static_cast<int>(values.size())};
    const auto found = with_units(exec, measure, layers, scratch, [&](const auto& in_range) {
      return backend<Memory>::template visit_pairs<accumulator::plain>(exec, visitor, coefficients, in_range, gradient_rule<T>{}, scratch);
    });
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = found[static_cast<int>(k)] + coefficients.pairs.constant;
  } else {
    std::size_t place = 0;
    kernel::for_each_term(one.profile, [&](const auto& term) {
      const workspace_mark mark(scratch);
      using term_layer = layer<T, std::remove_cvref_t<decltype(term)>, Memory>;
      const std::tuple layers{term_layer{one.data, one.summary, term, unwanted, unwanted}};
      values[place++] = estimate_bound<false, accumulator::plain>(exec, estimator, layers, estimate_rule<T>{measure}, scratch);
    });
  }
}

/// Whether the layers' estimates are found in one pass: all pairs, and statistics that no shift changes.
template <class Estimator, class... Profiles>
inline constexpr bool layers_in_one_pass = full_pair_estimator<Estimator> && (!reads<Profiles>::shift && ...);

/// values[l] = the estimate of layer l's kernel alone. Where layers_in_one_pass, one pass over the pairs for all; else one for each.
template <class Exec, class Estimator, class T, class Memory, class... Profiles>
void layer_values(const Exec& exec, const Estimator& estimator, const std::tuple<layer<T, Profiles, Memory>...>& layers,
                  const char* measure, std::span<double> values, workspace_of<Memory>& scratch) {
  const workspace_mark mark(scratch);
  if constexpr (sizeof...(Profiles) > 1 && layers_in_one_pass<Estimator, Profiles...>) {
    const auto& data = std::get<0>(layers).data;
    const domain_coefficients<T, Memory> coefficients{data, estimator.coefficients(sizes_of(data, measure))};
    const auto found = with_units(exec, measure, layers, scratch, [&](const auto& in_range) {
      return backend<Memory>::template visit_pairs<accumulator::plain>(exec, layer_visitor<sizeof...(Profiles)>{}, coefficients, in_range,
                                                                       gradient_rule<T>{}, scratch);
    });
    for (std::size_t l = 0; l < values.size(); ++l) values[l] = found[static_cast<int>(l)] + coefficients.pairs.constant;
  } else {
    std::size_t place = 0;
    const auto estimate = [&](const auto& one) {
      values[place++] = estimate_bound<false, accumulator::plain>(exec, estimator, std::tuple{one}, estimate_rule<T>{measure}, scratch);
    };
    std::apply([&](const auto&... one) { (estimate(one), ...); }, layers);
  }
}

} // namespace dalib::engine
