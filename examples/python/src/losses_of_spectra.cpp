/// @file
/// Lines of the table: losses that decompose a matrix, in double.
#include "row_entry.hpp"

#include "dalib/measure/batch_nuclear_norm.hpp"
#include "dalib/measure/batch_spectral_penalisation.hpp"
#include "dalib/measure/inverse_gram_alignment.hpp"
#include "dalib/measure/log_euclidean_coral.hpp"
#include "dalib/measure/representation_subspace.hpp"

namespace dalib_python {

// clang-format off
std::vector<measure_entry> losses_of_spectra() {
  return {
      entry_in_double("batch_nuclear_norm", [](const settings& s, auto) { return dalib::batch_nuclear_norm{s.flag(0) ? dalib::nuclear_normalisation::singular_values : dalib::nuclear_normalisation::rows}; },
                   {{"y"}, {{"by_singular_values", 0}}},
                   "Batch nuclear norm maximisation (BNM, Cui et al. 2020, eq. 6), to be minimised: -|softmax(y)|_* / n, or divided by min(n, C).\n\ny: class logits (n, C)."),
      entry_in_double("log_euclidean_coral", [](const settings& s, auto) { return dalib::log_euclidean_coral{s.number(0)}; },
                   {{"x", "y"}, {{"ridge", 0}}},
                   "Log-Euclidean CORAL (Morerio et al. 2018, eq. 4): coral of the covariances' logarithms.\n\nx: (n, F), y: (m, F)."),
      entry_in_double("batch_spectral_penalisation", [](const settings& s, auto) { return dalib::batch_spectral_penalisation{static_cast<index_t>(s.number(0))}; },
                   {{"x", "y"}, {{"count", 1}}},
                   "Batch spectral penalisation (BSP, Chen et al. 2019, eq. 4): the `count` largest squared singular values of both.\n\nx: (n, F), y: (m, F)."),
      entry_in_double("representation_subspace_distance", [](const settings& s, auto) { return dalib::representation_subspace_distance{s.number(0)}; },
                   {{"x", "y"}, {{"trade_off", 0}}},
                   "Representation subspace distance (RSD, Chen et al. 2021), with its bases mismatch penalty times trade_off.\n\nx: (n, F), y: (m, F)."),
      entry_in_double("inverse_gram_alignment", [](const settings& s, auto) { return dalib::inverse_gram_alignment{s.number(0), 0, s.number(1), s.number(2)}; },
                   {{"x", "y"}, {{"kept", 0.95}, {"angle", 0.05}, {"scale_weight", 0.001}}},
                   "DARE-GRAM (Nejjar et al. 2023, eq. 6-9), `kept` the share of the eigenvalues in use.\n\nx: (n, F), y: (m, F)."),
  };
}
// clang-format on

} // namespace dalib_python
