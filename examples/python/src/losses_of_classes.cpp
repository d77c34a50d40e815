/// @file
/// Lines of the table: losses that take class labels.
#include "row_entry.hpp"

#include "dalib/measure/contrastive_domain_discrepancy.hpp"
#include "dalib/measure/local_mmd.hpp"

namespace dalib_python {

// clang-format off
std::vector<measure_entry> losses_of_classes() {
  return {
      entry<false>("local_mmd", [](const settings& s, auto) { return dalib::local_mmd{s.labels(0), s.flag(0) ? dalib::local_classes::source : dalib::local_classes::shared, s.number(1)}; },
                   {{"x", "y", "p_t"}, {{"all_source_classes", 0}, {"fixed_scale", 0}}, {}, false, {"labels"}},
                   "Local MMD within each class (DSAN, Zhu et al. 2020, eq. 6-8), averaged over the classes that both have, as the authors' code,\nor over all of the source's.\n\nx: (n, F), y: (m, F), p_t: class probabilities of y (m, C); labels: those of x (n,). Gradients with respect to x and y."),
      entry<false>("contrastive_domain_discrepancy", [](const settings& s, auto) { return dalib::contrastive_domain_discrepancy<>{s.labels(0), s.labels(1), static_cast<index_t>(s.number(0)), s.flag(1) ? dalib::contrast::intra_class : dalib::contrast::full}; },
                   {{"x", "y"}, {{"classes", 2}, {"intra", 0}}, {}, false, {"labels_x", "labels_y"}},
                   "Contrastive domain discrepancy within and between classes (CDD of CAN, Kang et al. 2019, eq. 3-5).\n\nx: (n, F), y: (m, F); labels_x: (n,), labels_y: (m,), each class in both."),
  };
}
// clang-format on

} // namespace dalib_python
