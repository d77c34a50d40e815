#include "label_free.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>

namespace dalib::train {

std::string_view meaning_of_score(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 15> meanings{{
      {"score",
       "Accuracy on the held-out source, in %, times information maximisation from 0 to 1. What --select score and the choice of the "
       "model go by."},
      {"entropy", "Minus the mean entropy of a prediction: 0 where all are sure, rightly or wrongly."},
      {"information_maximisation", "Entropy of the mean prediction less the mean entropy: predictions are sure, and all classes are used."},
      {"confidence", "Mean probability of the predicted class: 1 where all predictions are sure, rightly or wrongly."},
      {"soft_neighbourhood_density", "Entropy of the similarities of each prediction to all others: high where predictions gather in large "
                                     "dense groups."},
      {"nuclear_norm", "Sum of the singular values of the predictions, scaled: sure predictions of many different classes."},
      {"softmax_correlation", "1 where no prediction is shared between classes and all classes are used equally."},
      {"class_confusion", "Minus the probability that predictions share between two classes; sure predictions count more. 0: none."},
      {"mano", "Mean fourth power (its root) of normalised logits: how far samples are from the borders between classes."},
      {"rankme", "Number of dimensions that the features use in effect; it falls where features collapse."},
      {"class_ami", "Whether clusters of the features are the predicted classes: 1 for the same partition, 0 for one by chance."},
      {"class_silhouette", "How far these clusters are from each other, against how wide they are: from -1 to 1."},
      {"iwcv", "Minus the cross-entropy on the held-out source, its samples counting by how much they are like the target's."},
      {"dev", "The same with what the weights' chance does to it taken out."},
      {"a_distance", "Minus the A-distance of the features: from -2, where a classifier tells the domains apart, to about 0."},
  }};
  const auto found = std::find_if(meanings.begin(), meanings.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == meanings.end()) throw std::invalid_argument("unknown score '" + std::string(name) + "'");
  return found->second;
}

} // namespace dalib::train
