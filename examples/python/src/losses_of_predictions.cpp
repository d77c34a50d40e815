/// @file
/// Lines of the table: losses of the target's class logits, and of a discriminator's.
#include "row_entry.hpp"

#include "dalib/measure/distillation.hpp"
#include "dalib/measure/domain_label.hpp"
#include "dalib/measure/fast_batch_nuclear_norm.hpp"
#include "dalib/measure/information_maximisation.hpp"
#include "dalib/measure/minimum_class_confusion.hpp"
#include "dalib/measure/prediction_entropy.hpp"
#include "dalib/measure/symmetric_classifiers.hpp"
#include "dalib/measure/unknown_class_boundary.hpp"

namespace dalib_python {

namespace {

template <dalib::symmetric_loss Loss>
measure_entry symmetric(const char* name, const char* documentation) {
  return entry<false>(
      name, [](const settings&, auto) { return dalib::symmetric_classifiers<Loss>{}; }, {{"y1", "y2"}}, documentation);
}

} // namespace

// clang-format off
std::vector<measure_entry> losses_of_predictions() {
  return {
      entry<false>("prediction_entropy", [](const settings& s, auto) { return dalib::prediction_entropy{s.number(0)}; },
                   {{"y"}, {{"offset", 0}}},
                   "Entropy of the predictions, -mean_i sum_c p_ic log(p_ic + offset), p = softmax(y) (Grandvalet and Bengio 2005).\n\ny: class logits (n, C)."),
      entry<false>("tsallis_entropy", [](const settings& s, auto) { return dalib::tsallis_entropy{s.number(0)}; },
                   {{"y"}, {{"alpha", 2}}},
                   "Tsallis' entropy of the predictions, mean_i (1 - sum_c p_ic^alpha) / (alpha - 1), p = softmax(y).\n\ny: class logits (n, C)."),
      entry<false>("information_maximisation", [](const settings& s, auto) { return dalib::information_maximisation{s.number(0)}; },
                   {{"y"}, {{"offset", 0}}},
                   "Information maximisation (SHOT, Liang et al. 2020, eq. 3-4), to be minimised: mean entropy of the predictions less the entropy\nof their mean.\n\ny: class logits (n, C)."),
      entry<false>("minimum_class_confusion", [](const settings& s, auto) { return dalib::minimum_class_confusion{s.number(0), s.number(1)}; },
                   {{"y"}, {{"temperature", 2.5}, {"offset", 0}}},
                   "Minimum class confusion (MCC, Jin et al. 2020). TLlib has offset 1e-5 inside its logarithm.\n\ny: class logits (n, C)."),
      entry<false>("fast_batch_nuclear_norm", [](const settings&, auto) { return dalib::fast_batch_nuclear_norm{}; },
                   {{"y"}},
                   "Fast batch nuclear norm maximisation (Cui et al. 2021), to be minimised.\n\ny: class logits (n, C)."),
      entry<false>("batch_frobenius_norm", [](const settings&, auto) { return dalib::batch_frobenius_norm{}; },
                   {{"y"}},
                   "Batch Frobenius norm maximisation (Cui et al. 2020, section 3.2), to be minimised: -|softmax(y)|_F / n.\n\ny: class logits (n, C)."),
      entry<true>("distillation", [](const settings& s, auto reduction) { return dalib::distillation{s.number(0), reduction}; },
                  {{"y", "y_teacher"}, {{"temperature", 1}}, {0}},
                  "Distillation, T^2 KL(softmax(y_teacher / T) | softmax(y / T)) (Hinton et al. 2015, section 2); T = 1: the consistency term of VAT\nand of mean teachers.\n\ny, y_teacher: class logits (n, C). Gradient with respect to y."),
      symmetric<dalib::symmetric_loss::first>("symmetric_first", "SymNets (Zhang et al. 2019, eq. 3), source rows in domain discrimination: -log of the share of the first classifier in the\nsoftmax of both.\n\ny1, y2: class logits (n, C) of both classifiers for the same rows."),
      symmetric<dalib::symmetric_loss::second>("symmetric_second", "SymNets (Zhang et al. 2019, eq. 3), target rows in domain discrimination: -log of the share of the second classifier.\n\ny1, y2: as symmetric_first."),
      symmetric<dalib::symmetric_loss::domain_confusion>("symmetric_domain_confusion", "SymNets (Zhang et al. 2019, eq. 6): the mean of symmetric_first and symmetric_second.\n\ny1, y2: as symmetric_first."),
      symmetric<dalib::symmetric_loss::entropy>("symmetric_entropy", "SymNets (Zhang et al. 2019, eq. 7): entropy of a class's share in both classifiers together.\n\ny1, y2: as symmetric_first."),
      entry<false>("unknown_class_boundary", [](const settings& s, auto) { return dalib::unknown_class_boundary{s.number(0), s.number(1)}; },
                   {{"y"}, {{"t", 0.5}, {"offset", 0}}},
                   "Boundary of the unknown class (OSBP, Saito et al. 2018, eq. 3), -mean_i (t log p_i + (1 - t) log(1 - p_i)), p the last class.\nTLlib has offset 1e-6 inside its logarithms.\n\ny: class logits (n, K), the last class being unknown."),
      entry<false>("domain_label", [](const settings& s, auto) { return dalib::domain_label{s.number(0)}; },
                   {{"logits"}, {{"label", 1}}},
                   "Cross-entropy of a discriminator's logits with one domain label for all rows (ADDA, Tzeng et al. 2017, eq. 7-9; source label 1;\n1/2: domain confusion).\n\nlogits: (n, 1) or (n,)."),
  };
}
// clang-format on

} // namespace dalib_python
