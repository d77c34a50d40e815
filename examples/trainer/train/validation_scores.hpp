#pragma once
// Scores that need the source's labels and features of both domains.

#include "evaluation.hpp"

namespace dalib::train {

/// Scores of dalib::model_selection by a domain classifier; higher is better.
struct validation_scores {
  double iwcv = 0;       ///< importance-weighted validation of the cross-entropy on the source
  double dev = 0;        ///< deep embedded validation of the same
  double a_distance = 0; ///< how hard the domains are to tell apart
};

/// The domain classifier is a regularised logistic regression on the features, trained on half of some hundred samples of each domain; the
/// scores are those of the other half. 0 where a domain has fewer than four samples. Always the same numbers for the same outputs, whatever
/// the number of threads. O(n^2 (F + n)) for n of these samples.
/// @param source with labels, held out from training; @param target unlabelled
validation_scores validate(const outputs& source, const outputs& target);

} // namespace dalib::train
