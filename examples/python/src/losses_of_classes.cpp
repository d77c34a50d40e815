/// @file
/// Lines of the table: losses that take class labels, or weights of samples made of classes.
#include "row_entry.hpp"

#include "dalib/measure/contrastive_domain_discrepancy.hpp"
#include "dalib/measure/local_mmd.hpp"
#include "dalib/measure/partial_adaptation.hpp"
#include "dalib/measure/symmetric_classifiers.hpp"
#include "dalib/measure/weighted_cross_entropy.hpp"

namespace dalib_python {

namespace {

double run_weighted_adversarial(const plan& p, const request& r) {
  return by_scalar(r, [&](auto number) -> double {
    using T = decltype(number);
    const settings given{p.chosen, r};
    std::vector<T> of_source;
    for (double w : given.column(2)) of_source.push_back(static_cast<T>(w));
    const dalib::sample<T> source = sample_of<T>(r.inputs[0], {of_source.data(), static_cast<index_t>(of_source.size()), 1});
    const dalib::sample<T> target{r.inputs[1].read<T>(), nullptr};
    const dalib::weighted_domain_adversarial loss{given.number(0), given.number(1)};
    if (!r.gradient) return loss(execution_of(r), source, target, scratch_of_thread());
    const dalib::gradients<T> out{r.outputs[0].write<T>(), r.outputs[1].write<T>(), static_cast<T>(r.scale)};
    return loss.value_and_gradient(execution_of(r), source, target, out, scratch_of_thread());
  });
}

/// Its weights belong to a sample: the line's own function hands them over.
measure_entry weighted_domain_adversarial() {
  measure_entry line = entry<false>(
      "weighted_domain_adversarial",
      [](const settings& s, auto) {
        return dalib::weighted_domain_adversarial{s.number(0), s.number(1)};
      },
      {{"logits_s", "logits_t", "weights_s"}, {{"source_factor", 1}, {"target_factor", 1}}},
      "Domain adversarial loss whose source samples have weights (PADA, Cao et al. 2018, eq. 4; IWAN, Zhang et al. 2018, eq. 8),\n"
      "source_factor mean_s w softplus(-l) + target_factor mean_t softplus(l).\n\nlogits_s: (n_s, 1), logits_t: (n_t, 1), weights_s: "
      "(n_s,) "
      "such as model_selection.importance_weights_of gives; constants.");
  line.run = run_weighted_adversarial;
  return line;
}

} // namespace

// clang-format off
std::vector<measure_entry> losses_of_classes() {
  return {
      entry<false>("local_mmd", [](const settings& s, auto) { return dalib::local_mmd{s.labels(0), s.flag(0) ? dalib::local_classes::source : dalib::local_classes::shared, s.number(1)}; },
                   {{"x", "y", "p_t"}, {{"all_source_classes", 0}, {"fixed_scale", 0}}, {}, false, {"labels"}},
                   "Local MMD within each class (DSAN, Zhu et al. 2020, eq. 6-8), averaged over the classes that both have, as the authors' code,\nor over all of the source's.\n\nx: (n, F), y: (m, F), p_t: class probabilities of y (m, C); labels: those of x (n,). Gradients with respect to x and y."),
      entry<false>("contrastive_domain_discrepancy", [](const settings& s, auto) { return dalib::contrastive_domain_discrepancy<>{s.labels(0), s.labels(1), static_cast<index_t>(s.number(0)), s.flag(1) ? dalib::contrast::intra_class : dalib::contrast::full}; },
                   {{"x", "y"}, {{"classes", 2}, {"intra", 0}}, {}, false, {"labels_x", "labels_y"}},
                   "Contrastive domain discrepancy within and between classes (CDD of CAN, Kang et al. 2019, eq. 3-5).\n\nx: (n, F), y: (m, F); labels_x: (n,), labels_y: (m,), each class in both."),
      entry<false>("weighted_cross_entropy", [](const settings& s, auto) { return dalib::weighted_cross_entropy{s.labels(0), s.column(1), s.flag(0) ? dalib::weighted_mean::by_weight : dalib::weighted_mean::by_count, {s.number(1), s.number(2)}}; },
                   {{"y", "weights"}, {{"by_weight", 0}, {"smoothing", 0}, {"temperature", 1}}, {}, false, {"labels"}},
                   "Cross-entropy with a weight for each sample (PADA, Cao et al. 2018, eq. 4), softened labels (Szegedy et al. 2016) and a\ntemperature; divided by the number of samples, or by the sum of the weights.\n\ny: class logits (n, C), weights: (n,), constants; labels: (n,)."),
      entry<false>("symmetric_category_confusion", [](const settings& s, auto) { return dalib::symmetric_category_confusion{s.labels(0)}; },
                   {{"y1", "y2"}, {}, {}, false, {"labels"}},
                   "SymNets (Zhang et al. 2019, eq. 5), category confusion on labelled source rows: -mean of the log shares of the label in the softmax\nof both classifiers.\n\ny1, y2: class logits (n, C); labels: (n,)."),
      weighted_domain_adversarial(),
  };
}
// clang-format on

} // namespace dalib_python
