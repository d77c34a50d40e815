/// @file
/// Lines of the table: distances of two samples of features, and the losses of regression.
#include "row_entry.hpp"

#include "dalib/compat/coral_with_means.hpp"
#include "dalib/measure/central_moment_discrepancy.hpp"
#include "dalib/measure/coral.hpp"
#include "dalib/measure/energy_distance.hpp"
#include "dalib/measure/feature_norm.hpp"
#include "dalib/measure/random_fourier_mmd.hpp"
#include "dalib/measure/regression_disparity.hpp"
#include "dalib/measure/sliced_wasserstein.hpp"

namespace dalib_python {

// clang-format off
std::vector<measure_entry> losses_of_samples() {
  return {
      entry<false>("coral", [](const settings&, auto) { return dalib::coral{}; },
                   {{"x", "y"}},
                   "Deep CORAL (Sun and Saenko 2016, eq. 1-3), |C_x - C_y|_F^2 / (4 F^2), C the covariances.\n\nx: (n, F), y: (m, F)."),
      entry<false>("compat_coral", [](const settings&, auto) { return dalib::compat::coral_with_means{}; },
                   {{"x", "y"}},
                   "coral with the numbers of TLlib, which compares the means too.\n\nx: (n, F), y: (m, F)."),
      entry<false>("central_moment_discrepancy", [](const settings& s, auto) { return dalib::central_moment_discrepancy{s.whole(0), s.number(1), s.number(2)}; },
                   {{"x", "y"}, {{"orders", 5}, {"low", 0}, {"high", 1}}},
                   "Central moment discrepancy of features in low .. high (CMD, Zellinger et al. 2017, definition 3).\n\nx: (n, F), y: (m, F)."),
      entry<false>("hard_feature_norm", [](const settings& s, auto) { return dalib::hard_feature_norm{s.number(0)}; },
                   {{"x", "y"}, {{"radius", 25}}},
                   "Hard adaptive feature norm (Xu et al. 2019, eq. 3), (mean |x| - radius)^2 + (mean |y| - radius)^2.\n\nx: (n, F), y: (m, F)."),
      entry<false>("stepwise_feature_norm", [](const settings& s, auto) { return dalib::stepwise_feature_norm{s.number(0), s.flag(1) ? dalib::norm_average::pooled : dalib::norm_average::per_domain}; },
                   {{"x", "y"}, {{"step", 1}, {"pooled", 0}}},
                   "Stepwise adaptive feature norm (Xu et al. 2019, eq. 5): every norm is drawn towards what it is now plus a step; the mean of each\ndomain, or of all rows.\n\nx: (n, F), y: (m, F)."),
      entry<false>("energy_distance", [](const settings& s, auto) { return dalib::energy_distance{s.number(0)}; },
                   {{"x", "y"}, {{"exponent", 1}}},
                   "Energy distance 2 E|x - y|^b - E|x - x'|^b - E|y - y'|^b, 0 < b <= 2, all pairs (Szekely and Rizzo 2013, eq. 5).\n\nx: (n, F), y: (m, F)."),
      entry<false>("sliced_wasserstein", [](const settings& s, auto) { return dalib::sliced_wasserstein{s.number(0)}; },
                   {{"x", "y", "directions"}, {{"p", 2}}},
                   "Sliced Wasserstein distance to the power p (Bonneel et al. 2015, eq. 10); of two classifiers' probabilities SWD (Lee et al. 2019).\n\nx: (n, F), y: (m, F), directions: (F, L), columns of length 1. Gradients with respect to x and y."),
      entry<false>("random_fourier_mmd", [](const settings&, auto) { return dalib::random_fourier_mmd{}; },
                   {{"x", "y", "frequencies"}},
                   "Biased squared MMD by random Fourier features (Rahimi and Recht 2007), O((n + m) F D).\n\nx: (n, F), y: (m, F), frequencies: (F, D), normal / sigma for a Gaussian. Gradients with respect to x and y."),
      entry<false>("random_cosine_mmd", [](const settings&, auto) { return dalib::random_cosine_mmd{}; },
                   {{"x", "y", "frequencies", "phase"}},
                   "random_fourier_mmd with cosines of a random phase.\n\nx, y, frequencies as there; phase: (1, D), uniform on 0 .. 2 pi. Gradients with respect to x and y."),
      entry<false>("regression_disparity", [](const settings& s, auto) { return dalib::regression_disparity{s.flag(1) ? dalib::regression_loss::squared : dalib::regression_loss::absolute, s.number(0)}; },
                   {{"y_s", "y_s_adv", "y_t", "y_t_adv"}, {{"margin", 1}, {"squared", 0}}},
                   "Margin disparity discrepancy for regression, mean l(y_t, y_t_adv) - margin mean l(y_s, y_s_adv), l = |.| or the square.\n\ny_s, y_s_adv: (n_s, K); y_t, y_t_adv: (n_t, K). Gradients with respect to y_s_adv and y_t_adv."),
  };
}
// clang-format on

} // namespace dalib_python
