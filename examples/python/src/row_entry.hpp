/// @file
/// From a measure of the library to a line of the table: what its lines are made of.
#pragma once

#include "plan.hpp"

#include "dalib/measure/call.hpp"
#include "dalib/reduction/reductions.hpp"

#include <type_traits>
#include <utility>

namespace dalib_python {

/// What a line's function makes its measure of.
struct settings {
  const choices& chosen;
  const request& asked;

  double number(std::size_t place) const { return chosen.numbers.at(place); }
  int whole(std::size_t place) const { return static_cast<int>(number(place)); }
  bool flag(std::size_t place) const { return number(place) != 0; }
  std::span<const std::int64_t> labels(std::size_t place) const { return asked.labels.at(place); }
  /// An input that is a number for each row and a constant, such as weights behind the measure's own inputs, in double.
  std::span<const double> column(std::size_t place) const {
    by_scalar(asked, [&](auto number) -> double {
      const auto rows = asked.inputs[place].template read<decltype(number)>();
      kept.clear();
      for (index_t i = 0; i < rows.rows; ++i) kept.push_back(static_cast<double>(rows(i, 0)));
      return 0;
    });
    return kept;
  }

  mutable std::vector<double> kept{}; ///< as long as the measure
};

namespace detail {

template <class F>
double with_reduction(reduction_choice choice, const F& f) {
  switch (choice) {
  case reduction_choice::none:
    return f(dalib::reduction::none{});
  case reduction_choice::sum:
    return f(dalib::reduction::sum{});
  default:
    return f(dalib::reduction::mean{});
  }
}

inline double store(double value, const request&) { return value; }
template <class T>
double store(const std::vector<T>& values, const request& r) {
  const dalib::matrix_view<T> to = r.values.write<T>();
  for (index_t i = 0; i < to.rows; ++i) to(i, 0) = values[static_cast<std::size_t>(i)];
  return 0;
}

template <class T, class Measure, std::size_t... I>
double call(std::index_sequence<I...>, const Measure& measure, const request& r) {
  const auto run = [&](const auto&... outputs) {
    return store(measure.value_and_gradient(execution_of(r), r.inputs[I].template read<T>()..., outputs..., scratch_of_thread()), r);
  };
  if (!r.gradient) return store(measure(execution_of(r), r.inputs[I].template read<T>()..., scratch_of_thread()), r);
  const auto out = [&](std::size_t place) { return r.outputs[place].template write<T>(); };
  const T scale = static_cast<T>(r.scale);
  constexpr std::size_t count = dalib::differentiable_inputs<Measure>::type::size();
  static_assert(count >= 1 && count <= 4);
  if constexpr (count == 1)
    return run(dalib::gradient<T>{out(0), scale});
  else if constexpr (count == 2)
    return run(dalib::gradients<T>{out(0), out(1), scale});
  else if constexpr (count == 3)
    return run(dalib::gradients<T>{out(0), out(1), scale}, dalib::gradient<T>{out(2), scale});
  else
    return run(dalib::gradients<T>{out(0), out(1), scale}, dalib::gradients<T>{out(2), out(3), scale});
}

/// `Make` makes the measure from the settings and a reduction.
template <class Make, bool HasReduction>
double run_rows(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto with = [&](auto reduction) -> double {
      const settings given{p.chosen, r};
      const auto measure = Make{}(given, reduction);
      return call<T>(std::make_index_sequence<std::remove_cvref_t<decltype(measure)>::arity>{}, measure, r);
    };
    if constexpr (HasReduction)
      return with_reduction(p.chosen.reduction, with);
    else
      return with(dalib::reduction::mean{});
  });
}

/// The elements of arrays in double, and views of them.
class double_copies {
public:
  explicit double_copies(std::span<const array> of) : elements_(of.size()) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      const array& one = of[i];
      views_.push_back({nullptr, one.rows, one.cols, one.cols, 1});
      if (one.data == nullptr) continue; // not wanted
      elements_[i].resize(static_cast<std::size_t>(one.rows * one.cols));
      views_[i].data = elements_[i].data();
    }
  }
  std::span<const array> views() const { return views_; }

private:
  std::vector<std::vector<double>> elements_;
  std::vector<array> views_{};
};

template <class From, class To>
void copy_elements(const dalib::matrix_view<From>& from, const dalib::matrix_view<To>& to) {
  if (to.data == nullptr) return;
  for (index_t i = 0; i < from.rows; ++i)
    for (index_t j = 0; j < from.cols; ++j) to(i, j) = static_cast<To>(from(i, j));
}

/// As run_rows, for measures that are found in double whatever they are given: compiled once, float rows are copied.
template <class Make>
double run_in_double(const plan& p, const request& r) {
  const auto run = [&](const request& in_double) {
    const settings given{p.chosen, in_double};
    const auto measure = Make{}(given, dalib::reduction::mean{});
    return call<double>(std::make_index_sequence<std::remove_cvref_t<decltype(measure)>::arity>{}, measure, in_double);
  };
  if (r.scalar == scalar_type::float64) return run(r);
  const double_copies inputs(r.inputs), outputs(r.outputs);
  for (std::size_t i = 0; i < r.inputs.size(); ++i) copy_elements(r.inputs[i].read<float>(), inputs.views()[i].write<double>());
  request in_double = r;
  in_double.scalar = scalar_type::float64;
  in_double.inputs = inputs.views();
  in_double.outputs = outputs.views();
  const double value = run(in_double);
  for (std::size_t i = 0; i < r.outputs.size(); ++i) copy_elements(outputs.views()[i].read<double>(), r.outputs[i].write<float>());
  return value;
}

template <std::size_t... I>
std::vector<int> places(std::index_sequence<I...>) {
  return {static_cast<int>(I)...};
}

} // namespace detail

/// What Python is told of a line.
struct description {
  std::vector<const char*> inputs;
  std::vector<std::pair<const char*, double>> parameters{};
  std::vector<int> values_of{}; ///< inputs whose rows make up the values of reduction "none"; none: the measure has no reduction
  bool has_conditioning = false;
  std::vector<const char*> labels{}; ///< arguments that are class labels, one for each row
};

/// A line without reductions whose measure is found in double.
template <class Make>
measure_entry entry_in_double(const char* name, Make, const description& d, const char* documentation) {
  using measure = decltype(Make{}(std::declval<const settings&>(), dalib::reduction::mean{}));
  return {name,
          d.inputs,
          detail::places(typename dalib::differentiable_inputs<measure>::type{}),
          d.parameters,
          false,
          d.has_conditioning,
          d.values_of,
          d.labels,
          documentation,
          detail::run_in_double<Make>};
}

template <bool HasReduction, class Make>
measure_entry entry(const char* name, Make, const description& d, const char* documentation) {
  using measure = decltype(Make{}(std::declval<const settings&>(), dalib::reduction::mean{}));
  return {name,
          d.inputs,
          detail::places(typename dalib::differentiable_inputs<measure>::type{}),
          d.parameters,
          HasReduction,
          d.has_conditioning,
          d.values_of,
          d.labels,
          documentation,
          detail::run_rows<Make, HasReduction>};
}

} // namespace dalib_python
