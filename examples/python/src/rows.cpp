/// @file
/// The table of measures without a kernel: a new one is one line of this file or of one of its parts, losses_of_*.cpp.
#include "row_entry.hpp"

#include "dalib/compat/binary_cross_entropy.hpp"
#include "dalib/compat/shift_log.hpp"
#include "dalib/measure/class_balance.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"
#include "dalib/measure/conditional_domain_adversarial.hpp"
#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/margin_disparity.hpp"

namespace dalib_python {

std::vector<measure_entry> losses_of_predictions();
std::vector<measure_entry> losses_of_samples();
std::vector<measure_entry> losses_of_classes();
std::vector<measure_entry> losses_of_spectra();
std::vector<measure_entry> losses_of_transport();

namespace {

// clang-format off
std::vector<measure_entry> own_losses() {
  using namespace dalib;
  return {
      entry<true>("classifier_discrepancy", [](const settings&, auto reduction) { return dalib::classifier_discrepancy{scores::logits{}, reduction}; },
                  {{"y1", "y2"}, {}, {0}},
                  "Discrepancy of two classifiers on the same samples, mean_i 1/C sum_c |softmax(y1)_ic - softmax(y2)_ic|\n(MCD, Saito et al. 2018, eq. 2).\n\ny1, y2: class logits (n, C)."),
      entry<true>("classifier_discrepancy_of_probabilities", [](const settings&, auto reduction) { return dalib::classifier_discrepancy{scores::probabilities{}, reduction}; },
                  {{"p1", "p2"}, {}, {0}},
                  "classifier_discrepancy of class probabilities, used as they are.\n\np1, p2: class probabilities (n, C)."),
      entry<false>("class_balance", [](const settings& s, auto) { return dalib::class_balance{scores::logits{}, s.number(0)}; },
                   {{"y"}, {{"offset", 1e-6}}},
                   "Cross-entropy of the uniform law with the mean prediction, -1/C sum_c log(1/n sum_i softmax(y)_ic + offset):\nwhat MCD's code calls entropy.\n\ny: class logits (n, C)."),
      entry<false>("class_balance_of_probabilities", [](const settings& s, auto) { return dalib::class_balance{scores::probabilities{}, s.number(0)}; },
                   {{"p"}, {{"offset", 1e-6}}},
                   "class_balance of class probabilities, used as they are.\n\np: class probabilities (n, C)."),
      entry<true>("margin_disparity", [](const settings& s, auto reduction) { return dalib::margin_disparity{s.number(0), reduction}; },
                  {{"y_s", "y_s_adv", "y_t", "y_t_adv"}, {{"margin", 4}}, {1, 3}},
                  "Margin disparity between a classifier's logits y and an adversary's y' (MDD, Zhang et al. 2019, eq. 27-29),\nmargin * mean_s(-log softmax_k(y'_s)) + mean_t(-log(1 - softmax_k(y'_t))), k = argmax y.\n\ny_s, y_s_adv: (n_s, C); y_t, y_t_adv: (n_t, C). Gradients with respect to y_s_adv and y_t_adv."),
      entry<true>("compat_margin_disparity", [](const settings& s, auto reduction) { return dalib::margin_disparity{s.number(0), reduction, compat::shifted_log_complement{}}; },
                  {{"y_s", "y_s_adv", "y_t", "y_t_adv"}, {{"margin", 4}}, {1, 3}},
                  "margin_disparity with the numbers of DALIB and TLlib: log(min(1 - softmax + 1e-6, 1)) in the target's term."),
      entry<true>("domain_adversarial", [](const settings&, auto reduction) { return dalib::domain_adversarial<decltype(reduction)>{}; },
                  {{"logits_s", "logits_t"}, {}, {0, 1}},
                  "Binary cross-entropy of a domain discriminator's logits, 1/2 mean_s softplus(-l) + 1/2 mean_t softplus(l)\n(DANN, Ganin et al. 2016; source label 1).\n\nlogits_s: (n_s, 1) or (n_s,); logits_t: (n_t, 1) or (n_t,)."),
      entry<true>("conditional_domain_adversarial", [](const settings& s, auto reduction) { conditional_domain_adversarial m{s.chosen.conditioning, reduction}; m.entropy_reversal = s.number(0); return m; },
                  {{"logits_s", "logits_t", "y_s", "y_t"}, {{"entropy_reversal", 1}}, {0, 1}, true},
                  "CDAN's loss (Long et al. 2018, eq. 9): a discriminator's binary cross-entropy, each sample weighted by the entropy\nof its class prediction.\n\nlogits_s, logits_t: the discriminator's (n_s, 1), (n_t, 1); y_s, y_t: class logits (n_s, C), (n_t, C)."),
  };
}
// clang-format on

} // namespace

const std::vector<measure_entry>& measures() {
  static const std::vector<measure_entry> table = [] {
    std::vector<measure_entry> all = own_losses();
    for (const auto& part : {losses_of_predictions(), losses_of_samples(), losses_of_classes(), losses_of_spectra(), losses_of_transport()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return table;
}

} // namespace dalib_python
