/// @file
/// Lines of the table: optimal transport, and the MMD by landmarks, in double.
#include "row_entry.hpp"

#include "dalib/measure/nystrom_mmd.hpp"
#include "dalib/measure/optimal_transport.hpp"
#include "dalib/measure/sinkhorn_divergence.hpp"

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
      entry_in_double("nystrom_mmd", [](const settings& s, auto) { return dalib::nystrom_mmd{s.number(0), s.number(1)}; },
                   {{"x", "y", "landmarks"}, {{"sigma", 1}, {"ridge", 1e-3}}},
                   "Biased squared MMD of a Gaussian by the Nystrom method (Chatalic et al. 2022), O((n + m) q F).\n\nx: (n, F), y: (m, F), landmarks: (q, F). Gradients with respect to x and y."),
  };
}
// clang-format on

} // namespace dalib_python
