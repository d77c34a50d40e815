/// @file
/// The table of measures without a kernel: a new one is one line.
#include "plan.hpp"

#include "dalib/compat/binary_cross_entropy.hpp"
#include "dalib/compat/shift_log.hpp"
#include "dalib/measure/class_balance.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"
#include "dalib/measure/conditional_domain_adversarial.hpp"
#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/margin_disparity.hpp"

#include <type_traits>
#include <utility>

namespace dalib_python {

namespace {

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

double store(double value, const request&) { return value; }
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
  if constexpr (count == 1)
    return run(dalib::gradient<T>{out(0), scale});
  else if constexpr (count == 2)
    return run(dalib::gradients<T>{out(0), out(1), scale});
  else
    return run(dalib::gradients<T>{out(0), out(1), scale}, dalib::gradients<T>{out(2), out(3), scale});
}

/// `Make` makes the measure from the choices and a reduction.
template <class Make, bool HasReduction>
double run_rows(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const auto with = [&](auto reduction) -> double {
      const auto measure = Make{}(p.chosen, reduction);
      return call<T>(std::make_index_sequence<std::remove_cvref_t<decltype(measure)>::arity>{}, measure, r);
    };
    if constexpr (HasReduction)
      return with_reduction(p.chosen.reduction, with);
    else
      return with(dalib::reduction::mean{});
  });
}

template <std::size_t... I>
std::vector<int> places(std::index_sequence<I...>) {
  return {static_cast<int>(I)...};
}

struct description {
  std::vector<const char*> inputs;
  std::vector<std::pair<const char*, double>> parameters{};
  std::vector<int> values_of{}; ///< none: the measure has no reduction
  bool has_conditioning = false;
};

template <bool HasReduction, class Make>
measure_entry entry(const char* name, Make, const description& d, const char* documentation) {
  using measure = decltype(Make{}(choices{}, dalib::reduction::mean{}));
  return {name,         d.inputs,      places(typename dalib::differentiable_inputs<measure>::type{}),
          d.parameters, HasReduction,  d.has_conditioning,
          d.values_of,  documentation, run_rows<Make, HasReduction>};
}

} // namespace

// clang-format off
const std::vector<measure_entry>& measures() {
  using namespace dalib;
  static const std::vector<measure_entry> table = {
      entry<true>("classifier_discrepancy", [](const choices&, auto reduction) { return dalib::classifier_discrepancy{scores::logits{}, reduction}; },
                  {{"y1", "y2"}, {}, {0}},
                  "Discrepancy of two classifiers on the same samples, mean_i 1/C sum_c |softmax(y1)_ic - softmax(y2)_ic|\n(MCD, Saito et al. 2018, eq. 2).\n\ny1, y2: class logits (n, C)."),
      entry<true>("classifier_discrepancy_of_probabilities", [](const choices&, auto reduction) { return dalib::classifier_discrepancy{scores::probabilities{}, reduction}; },
                  {{"p1", "p2"}, {}, {0}},
                  "classifier_discrepancy of class probabilities, used as they are.\n\np1, p2: class probabilities (n, C)."),
      entry<false>("class_balance", [](const choices& c, auto) { return dalib::class_balance{scores::logits{}, c.numbers.empty() ? 1e-6 : c.numbers[0]}; },
                   {{"y"}, {{"offset", 1e-6}}, {}},
                   "Cross-entropy of the uniform law with the mean prediction, -1/C sum_c log(1/n sum_i softmax(y)_ic + offset):\nwhat MCD's code calls entropy.\n\ny: class logits (n, C)."),
      entry<false>("class_balance_of_probabilities", [](const choices& c, auto) { return dalib::class_balance{scores::probabilities{}, c.numbers.empty() ? 1e-6 : c.numbers[0]}; },
                   {{"p"}, {{"offset", 1e-6}}, {}},
                   "class_balance of class probabilities, used as they are.\n\np: class probabilities (n, C)."),
      entry<true>("margin_disparity", [](const choices& c, auto reduction) { return dalib::margin_disparity{c.numbers.empty() ? 4 : c.numbers[0], reduction}; },
                  {{"y_s", "y_s_adv", "y_t", "y_t_adv"}, {{"margin", 4}}, {1, 3}},
                  "Margin disparity between a classifier's logits y and an adversary's y' (MDD, Zhang et al. 2019, eq. 27-29),\nmargin * mean_s(-log softmax_k(y'_s)) + mean_t(-log(1 - softmax_k(y'_t))), k = argmax y.\n\ny_s, y_s_adv: (n_s, C); y_t, y_t_adv: (n_t, C). Gradients with respect to y_s_adv and y_t_adv."),
      entry<true>("compat_margin_disparity", [](const choices& c, auto reduction) { return dalib::margin_disparity{c.numbers.empty() ? 4 : c.numbers[0], reduction, compat::shifted_log_complement{}}; },
                  {{"y_s", "y_s_adv", "y_t", "y_t_adv"}, {{"margin", 4}}, {1, 3}},
                  "margin_disparity with the numbers of DALIB and TLlib: log(min(1 - softmax + 1e-6, 1)) in the target's term."),
      entry<true>("domain_adversarial", [](const choices&, auto reduction) { return dalib::domain_adversarial<decltype(reduction)>{}; },
                  {{"logits_s", "logits_t"}, {}, {0, 1}},
                  "Binary cross-entropy of a domain discriminator's logits, 1/2 mean_s softplus(-l) + 1/2 mean_t softplus(l)\n(DANN, Ganin et al. 2016; source label 1).\n\nlogits_s: (n_s, 1) or (n_s,); logits_t: (n_t, 1) or (n_t,)."),
      entry<true>("conditional_domain_adversarial", [](const choices& c, auto reduction) { conditional_domain_adversarial m{c.conditioning, reduction}; if (!c.numbers.empty()) m.entropy_reversal = c.numbers[0]; return m; },
                  {{"logits_s", "logits_t", "y_s", "y_t"}, {{"entropy_reversal", 1}}, {0, 1}, true},
                  "CDAN's loss (Long et al. 2018, eq. 9): a discriminator's binary cross-entropy, each sample weighted by the entropy\nof its class prediction.\n\nlogits_s, logits_t: the discriminator's (n_s, 1), (n_t, 1); y_s, y_t: class logits (n_s, C), (n_t, C)."),
  };
  return table;
}
// clang-format on

} // namespace dalib_python
