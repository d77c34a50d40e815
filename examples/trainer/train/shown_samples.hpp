#pragma once
// Which predictions somebody should look at.

#include "predictions.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace dalib::train {

/// Rows of predictions.
struct shown_samples {
  std::vector<std::size_t> unsure; ///< the least certain, the least of all first: what to label first
  std::vector<std::size_t> sure;   ///< the most certain of each predicted class in turn, classes in their order
};

/// Chooses at most `count` of each. Of equal confidences the first row comes first. O(n log n).
inline shown_samples choose_samples(const std::vector<prediction>& predictions, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < predictions.size(); ++i)
    if (predictions[i].label >= 0) order.push_back(i);
  const auto confidence = [&](std::size_t i) { return predictions[i].confidence; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return confidence(a) < confidence(b); });
  shown_samples shown;
  shown.unsure.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size())));

  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return confidence(a) > confidence(b); });
  std::vector<std::size_t> met;                           // of each class, how many came before
  std::vector<std::pair<std::size_t, std::size_t>> turns; // how many of its class came before, row
  for (const std::size_t i : order) {
    const auto label = static_cast<std::size_t>(predictions[i].label);
    if (met.size() <= label) met.resize(label + 1);
    turns.emplace_back(met[label]++, i);
  }
  std::stable_sort(turns.begin(), turns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  turns.resize(std::min(count, turns.size()));
  for (const auto& turn : turns) shown.sure.push_back(turn.second);
  std::stable_sort(shown.sure.begin(), shown.sure.end(),
                   [&](std::size_t a, std::size_t b) { return predictions[a].label < predictions[b].label; });
  return shown;
}

} // namespace dalib::train
