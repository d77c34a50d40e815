#pragma once
// Source and target features in one plane.

#include "pca.hpp"
#include "tsne.hpp"

#include <Eigen/Core>

#include <stdexcept>
#include <string>

namespace dalib::report {

/// Positions of the rows of both domains, shapes (n_s, 2) and (n_t, 2).
struct embedded_domains {
  Eigen::MatrixXd source;
  Eigen::MatrixXd target;
};

namespace detail {

/// Source rows above target rows, as doubles.
template <class Source, class Target>
Eigen::MatrixXd stacked(const Eigen::MatrixBase<Source>& source, const Eigen::MatrixBase<Target>& target, const char* function) {
  if (source.cols() != target.cols())
    throw std::invalid_argument(joined(function, ": source (", std::to_string(source.rows()), ", ", std::to_string(source.cols()),
                                       ") and target (", std::to_string(target.rows()), ", ", std::to_string(target.cols()),
                                       ") must have the same number of features"));
  Eigen::MatrixXd both(source.rows() + target.rows(), source.cols());
  both.topRows(source.rows()) = source.template cast<double>();
  both.bottomRows(target.rows()) = target.template cast<double>();
  return both;
}

} // namespace detail

/// Projects both domains, shapes (n_s, F) and (n_t, F), on the first two principal components of their union. With one feature only, the
/// second coordinate is zero. Throws std::invalid_argument for different numbers of features and as `pca` does.
template <class Source, class Target>
embedded_domains embed_by_pca(const Eigen::MatrixBase<Source>& source, const Eigen::MatrixBase<Target>& target) {
  const Eigen::MatrixXd scores = pca(detail::stacked(source, target, "embed_by_pca"), 2).scores;
  Eigen::MatrixXd plane = Eigen::MatrixXd::Zero(scores.rows(), 2);
  plane.leftCols(scores.cols()) = scores;
  return {plane.topRows(source.rows()), plane.bottomRows(target.rows())};
}

/// Embeds the union of both domains by t-SNE. Throws std::invalid_argument for different numbers of features and as `tsne` does.
template <class Source, class Target>
embedded_domains embed_by_tsne(const Eigen::MatrixBase<Source>& source, const Eigen::MatrixBase<Target>& target,
                               const tsne_options& options = {}) {
  const Eigen::MatrixXd plane = tsne(detail::stacked(source, target, "embed_by_tsne"), options);
  return {plane.topRows(source.rows()), plane.bottomRows(target.rows())};
}

} // namespace dalib::report
