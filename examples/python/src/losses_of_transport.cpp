/// @file
/// Lines of the table: optimal transport, and the MMD by landmarks, in double.
#include "row_entry.hpp"

#include "dalib/measure/joint_distribution_transport.hpp"
#include "dalib/measure/nystrom_mmd.hpp"
#include "dalib/measure/optimal_transport.hpp"
#include "dalib/measure/sinkhorn_divergence.hpp"
#include "dalib/measure/wasserstein.hpp"

namespace dalib_python {

// clang-format off
std::vector<measure_entry> losses_of_transport() {
  return {
      entry_in_double("sinkhorn_divergence", [](const settings& s, auto) { dalib::sinkhorn_settings set; set.power = s.whole(0); set.blur = s.number(1); set.reach = s.number(2); set.debias = s.flag(3); return dalib::sinkhorn_divergence{set}; },
                   {{"x", "y"}, {{"p", 2}, {"blur", 0.05}, {"reach", 0}, {"debias", 1}}},
                   "Sinkhorn divergence (Feydy et al. 2019, eq. 3), cost |x - y|^p / p, epsilon = blur^p; reach > 0: relaxed marginals.\n\nx: (n, F), y: (m, F)."),
      entry_in_double("optimal_transport", [](const settings& s, auto) { return dalib::optimal_transport{s.flag(0) ? dalib::ground_cost::squared : dalib::ground_cost::euclidean}; },
                   {{"x", "y"}, {{"squared", 0}}},
                   "Exact optimal transport cost of |x - y|, or of its square: for some hundreds of rows.\n\nx: (n, F), y: (m, F)."),
      entry_in_double("joint_distribution_transport", [](const settings& s, auto) { return dalib::joint_distribution_transport{s.labels(0), {s.number(0), s.number(1)}}; },
                   {{"x", "y", "y_t", "coupling"}, {{"features", 0.001}, {"factor", 1}}, {}, false, {"labels"}},
                   "DeepJDOT (Damodaran et al. 2018, eq. 6) for a given coupling,\nsum_ij coupling_ij (features |x_i - y_j|^2 + factor CE(y_t_j, label_i)).\n\nx: (n, F), y: (m, F), y_t: class logits of y (m, C), coupling: (n, m), a constant; labels: those of x (n,)."),
      entry_in_double("wasserstein", [](const settings& s, auto) { return dalib::wasserstein{s.number(0)}; },
                   {{"x", "y"}, {{"p", 2}}},
                   "Wasserstein distance of two samples of numbers to the power p (Villani 2003, theorem 2.18).\n\nx: (n, 1) or (n,), y: (m, 1) or (m,)."),
      entry_in_double("nystrom_mmd", [](const settings& s, auto) { return dalib::nystrom_mmd{s.number(0), s.number(1)}; },
                   {{"x", "y", "landmarks"}, {{"sigma", 1}, {"ridge", 1e-3}}},
                   "Biased squared MMD of a Gaussian by the Nystrom method (Chatalic et al. 2022), O((n + m) q F).\n\nx: (n, F), y: (m, F), landmarks: (q, F). Gradients with respect to x and y."),
  };
}
// clang-format on

} // namespace dalib_python
