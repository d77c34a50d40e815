#pragma once
// Self-ensembling: a teacher beside any model that predicts with one classifier.

#include "augmentation.hpp"
#include "classifier_model.hpp"
#include "transfer_term.hpp"

#include "../../../nn/mean_teacher.hpp"

#include <cstdint>
#include <utility>

namespace dalib::train {

/// Settings of self-ensembling.
struct teacher_options {
  double weight = 1;      ///< of the teacher's lessons, in the end
  long growth = 300;      ///< iterations over which the weight grows: a teacher of a few iterations is sure of what is wrong; 0: none
  double threshold = 0.9; ///< probability from which on the teacher is sure
  double average = 0.99;  ///< share of the teacher's weights that an iteration keeps
  augmentation changes{}; ///< of what the student sees
};

/// Self-ensembling (French, Mackiewicz, Fisher, ICLR 2018): a teacher, the exponential mean of its student's weights, predicts the target's
/// images as they are. The student, whatever else it learns, learns these predictions where the teacher is sure, and sees images of both
/// domains only after random changes: what an image and its changed copies have in common is what its class is. The teacher predicts.
///
/// The paper takes squared differences of probabilities. Here it is the cross-entropy with the teacher's probabilities, as in FixMatch
/// (Sohn et al., NeurIPS 2020): its gradient does not vanish where the student is sure of something else.
///
/// @tparam Classifier is one of nn/classifiers.hpp
template <class T, class Classifier>
class teacher {
public:
  /// @param student is copied; @param seed of the changes
  teacher(const Classifier& student, const teacher_options& o, std::uint64_t seed) : classifier_(student), options_(o), random_(seed) {
    average_.alpha = o.average;
  }

  /// A batch as the student sees it. One pass over the pixels.
  batch<T> changed(const batch<T>& images) {
    const auto both = augmented(images.both, options_.changes, random_());
    const index_t rows = images.source.rows();
    const auto part = [&](index_t first, const variable<T>& of) {
      auto result = ad::constant(both.storage().row_block(first, of.rows()), of.shape());
      result.handle()->share = of.share();
      return result;
    };
    return {both, part(0, images.source), part(rows, images.target), images.source_labels};
  }

  /// Moves on to the student's weights.
  void follow(Classifier& student) { average_.update(classifier_, student); }

  /// The lesson's loss: mean over the target's rows, those without a sure teacher as 0, of the
  /// cross-entropy of `logits` with the teacher's probabilities for `images`, which are detached. @param iteration counts from 0
  variable<T> lesson(const variable<T>& images, const variable<T>& logits, std::int64_t iteration) {
    const auto probabilities = sure_probabilities(images);
    const double grown = options_.growth > 0 ? ramp(iteration, options_.growth) : 1;
    return ad::scale(ad::sum(ad::multiply(ad::log_softmax(logits), probabilities)),
                     static_cast<T>(-options_.weight * grown / static_cast<double>(logits.rows())));
  }

  /// In evaluation mode and without recording.
  nn::classifier_output<T> predict(const variable<T>& images) {
    const ad::no_gradient off;
    nn::set_training(classifier_, false);
    const auto output = classifier_(images);
    return {output.logits, output.features};
  }
  Classifier& classifier() { return classifier_; }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", classifier_);
    f("average", average_);
    f("random", random_);
  }

private:
  /// Rows of which the teacher is not sure are zero.
  variable<T> sure_probabilities(const variable<T>& images) {
    const auto logits = predict(images).logits;
    ad::tensor<T> p = ad::detail::softmax_rows(logits.storage());
    for (index_t row = 0; row < p.rows(); ++row)
      if (!(p.view().row(row).maxCoeff() >= static_cast<T>(options_.threshold))) p.view().row(row).setZero();
    return ad::constant(std::move(p), logits.shape());
  }

  Classifier classifier_;
  teacher_options options_;
  nn::mean_teacher average_;
  io::random_generator random_;
};

} // namespace dalib::train
