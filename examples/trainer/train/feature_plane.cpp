#include "feature_plane.hpp"

#include "../report/embedding.hpp"

namespace dalib::train {

feature_plane embed_features(const Eigen::MatrixXf& source, const Eigen::MatrixXf& target) {
  auto plane = report::embed_by_tsne(source, target);
  return {std::move(plane.source), std::move(plane.target)};
}

} // namespace dalib::train
