#pragma once
// A ResNet that computes features and is not trained.

#include "backbone.hpp"
#include "features.hpp"
#include "state.hpp"

#include <memory>

namespace dalib::train {

/// The network of --frozen-backbone, behind an interface: only one file compiles it.
class frozen_backbone {
public:
  /// Throws as make_resnet.
  explicit frozen_backbone(const backbone_choice& choice);
  ~frozen_backbone();
  frozen_backbone(frozen_backbone&&) noexcept;
  frozen_backbone& operator=(frozen_backbone&&) noexcept;

  index_t out_features() const;

  /// Features of all images of a data set, in its order; see compute_features.
  feature_set features_of(const data::dataset& images);

  /// Features of one batch, as for evaluation.
  variable<float> operator()(const variable<float>& images);

  /// The parameters and statistics under the names that they have in a trained classifier, `backbone.*`.
  void visit_model(any_state_visitor& visitor);

private:
  struct network;
  std::unique_ptr<network> network_;
};

} // namespace dalib::train
