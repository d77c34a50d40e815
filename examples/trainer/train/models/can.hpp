#pragma once

#include "../../../autodiff/dalib_graph.hpp"
#include "class_centres.hpp"
#include "classifier_model.hpp"
#include "iteration_counter.hpp"
#include "transfer_term.hpp"

#include <dalib/measure/contrastive_domain_discrepancy.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace dalib::train {

/// Contrastive adaptation network (Kang et al., CVPR 2019): features of one class are near in both domains, those of different classes far.
/// The target's classes are found by clustering; rows far from their centre and classes of few rows in a batch are left out. Clusters that
/// start at the source's centres need features whose scale and mean fit both domains, which the paper has from a batch norm for each; here
/// both pass one as one batch.
template <class T, class Backbone>
class can_model : public classifier_model<T, nn::image_classifier<T, Backbone>> {
public:
  struct options {
    double weight = 0.3;
    double farthest = 0.2; ///< D_0: largest (1 - cosine) / 2 between a row and its centre
    long fewest = 3;       ///< N_0: rows of a class in each domain
    long period = 50;      ///< batches from one start of the clustering to the next
    long ramp_iterations = 1000;
  };

  can_model(nn::image_classifier<T, Backbone> classifier, const options& o)
      : can_model::classifier_model(std::move(classifier)), options_(o),
        centres_(this->classifier_.classes(), this->classifier_.features(), o.period) {}

  losses<T> operator()(const batch<T>& images) {
    const auto outputs = forward_domains(this->classifier_, images, forwarding::jointly);
    centres_.see_source(outputs.source.features.value(), images.source_labels);
    const auto found = centres_.assign_target(outputs.target.features.value());
    const double weight = options_.weight * ramp(steps_.next(), options_.ramp_iterations);
    const auto transfer = ad::scale(discrepancy(outputs, images.source_labels, found), static_cast<T>(weight));
    return {this->source_loss(outputs.source.logits, images), transfer, outputs.source.logits, 0, outputs};
  }

  template <class Visitor>
  void parts(Visitor&& f) {
    f("classifier", this->classifier_);
    f("centres", centres_);
    f("steps", steps_);
  }

private:
  using matrix = typename class_centres<T>::matrix;
  /// Rows of one domain that take part, and their classes among those that do.
  struct selected {
    std::vector<Eigen::Index> rows;
    std::vector<std::int64_t> labels;
  };

  variable<T> discrepancy(const domain_outputs<T>& outputs, const std::vector<std::int64_t>& source_labels,
                          const typename class_centres<T>::assignment& found) const {
    std::vector<std::int64_t> target_labels = found.labels;
    for (std::size_t i = 0; i < target_labels.size(); ++i)
      if (!(found.distances[i] < static_cast<T>(options_.farthest))) target_labels[i] = left_out;
    const std::vector<std::int64_t> places = places_of_classes(source_labels, target_labels);
    const auto count = static_cast<index_t>(std::count_if(places.begin(), places.end(), [](std::int64_t p) { return p != left_out; }));
    if (count < 2) return ad::constant(Eigen::MatrixX<T>::Zero(1, 1).eval());
    const selected source = select(source_labels, places), target = select(target_labels, places);
    const contrastive_domain_discrepancy loss{source.labels, target.labels, count};
    using graph = graph_traits<variable<T>>;
    return graph::record(std::array<variable<T>, 2>{outputs.source.features, outputs.target.features},
                         [&](const auto& values, const auto& slopes) {
                           const matrix z_s = rows_of(values[0], source.rows), z_t = rows_of(values[1], target.rows);
                           matrix g_s(z_s.rows(), z_s.cols()), g_t(z_t.rows(), z_t.cols());
                           const T value = static_cast<T>(loss.value_and_gradient(z_s, z_t, gradients{g_s, g_t}));
                           spread(g_s, source.rows, slopes[0]);
                           spread(g_t, target.rows, slopes[1]);
                           return value;
                         });
  }

  /// For each class its number among those with enough rows in both domains, or `left_out`.
  std::vector<std::int64_t> places_of_classes(const std::vector<std::int64_t>& source, const std::vector<std::int64_t>& target) const {
    std::vector<std::int64_t> places;
    std::int64_t next = 0;
    for (std::int64_t c = 0; c < this->classifier_.classes(); ++c) {
      const auto enough = [&](const std::vector<std::int64_t>& labels) {
        return std::count(labels.begin(), labels.end(), c) >= options_.fewest;
      };
      places.push_back(enough(source) && enough(target) ? next++ : left_out);
    }
    return places;
  }
  static selected select(const std::vector<std::int64_t>& labels, const std::vector<std::int64_t>& places) {
    selected result;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == left_out || places[static_cast<std::size_t>(labels[i])] == left_out) continue;
      result.rows.push_back(static_cast<Eigen::Index>(i));
      result.labels.push_back(places[static_cast<std::size_t>(labels[i])]);
    }
    return result;
  }
  template <class View>
  static matrix rows_of(const View& all, const std::vector<Eigen::Index>& rows) {
    matrix result(static_cast<Eigen::Index>(rows.size()), all.cols);
    for (Eigen::Index i = 0; i < result.rows(); ++i)
      for (Eigen::Index j = 0; j < all.cols; ++j) result(i, j) = all(rows[static_cast<std::size_t>(i)], j);
    return result;
  }
  static void spread(const matrix& from, const std::vector<Eigen::Index>& rows, const matrix_view<T>& to) {
    if (to.data == nullptr) return;
    for (index_t i = 0; i < to.rows; ++i)
      for (index_t j = 0; j < to.cols; ++j) to(i, j) = T(0);
    for (Eigen::Index i = 0; i < from.rows(); ++i)
      for (Eigen::Index j = 0; j < from.cols(); ++j) to(rows[static_cast<std::size_t>(i)], j) = from(i, j);
  }

  static constexpr std::int64_t left_out = -1;

  options options_;
  class_centres<T> centres_;
  iteration_counter steps_;
};

} // namespace dalib::train
