#pragma once
// Features of both domains in one plane.

#include <Eigen/Core>

namespace dalib::train {

/// Positions of the rows of both domains, (n_s, 2) and (n_t, 2).
struct feature_plane {
  Eigen::MatrixXd source, target;
};

/// t-SNE of both domains together; see report::embed_by_tsne. The same bits for any number of threads.
feature_plane embed_features(const Eigen::MatrixXf& source, const Eigen::MatrixXf& target);

} // namespace dalib::train
