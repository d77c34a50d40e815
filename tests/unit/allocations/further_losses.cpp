/// The same of the losses beside DALIB's own: with one execution, so that each is compiled once.
#include "check_allocations.hpp"

#include <dalib/losses.hpp>

#include <cstdint>
#include <vector>

using namespace dalib;
using namespace allocation_checks;

namespace {

/// Value with gradients; what the value alone needs is a part of it.
template <class Loss, class Out, class... Inputs>
void check_whole(const char* what, const Loss& loss, const Out& out, const Inputs&... inputs) {
  CAPTURE(std::string(what));
  CHECK(after_first([&](workspace& scratch) { static_cast<void>(loss.value_and_gradient(exec::serial{}, inputs..., out, scratch)); }) == 0);
}

std::vector<std::int64_t> labels_of(Eigen::Index rows) {
  std::vector<std::int64_t> labels;
  for (Eigen::Index i = 0; i < rows; ++i) labels.push_back(i % 3);
  return labels;
}

TEST_CASE("further losses of class scores allocate nothing from the second call on") {
  const Eigen::Index n = 70, classes = 11;
  const matrix a = matrix::Random(n, classes), b = matrix::Random(n, classes), l = matrix::Random(n, 1), k = matrix::Random(n, 1);
  matrix g(n, classes), h(n, classes), gl(n, 1), gk(n, 1);
  const std::vector<std::int64_t> labels = labels_of(n);
  const std::vector<double> weights(static_cast<std::size_t>(n), 0.5);
  check_whole("entropy", prediction_entropy{}, gradient{g}, a);
  check_whole("Tsallis", tsallis_entropy{2}, gradient{g}, a);
  check_whole("information maximisation", information_maximisation{}, gradient{g}, a);
  check_whole("minimum class confusion", minimum_class_confusion{}, gradient{g}, a);
  check_whole("nuclear norm", batch_nuclear_norm{}, gradient{g}, a);
  check_whole("fast nuclear norm", fast_batch_nuclear_norm{}, gradient{g}, a);
  check_whole("Frobenius norm", batch_frobenius_norm{}, gradient{g}, a);
  check_whole("unknown class", unknown_class_boundary{}, gradient{g}, a);
  check_whole("weighted cross-entropy", weighted_cross_entropy{labels, weights}, gradient{g}, a);
  check_whole("symmetric classifiers", symmetric_classifiers<symmetric_loss::entropy>{}, gradients{g, h}, a, b);
  check_whole("category confusion", symmetric_category_confusion{labels}, gradients{g, h}, a, b);
  check_whole("domain label", domain_label{1}, gradient{gl}, l);
  check_whole("weighted discriminator", weighted_domain_adversarial{}, gradients{gl, gk}, l, k);
  check_whole("disparity of regression", regression_disparity{}, gradients{g, h}, a, b, b, a);
}

TEST_CASE("further losses of features allocate nothing from the second call on") {
  const Eigen::Index n = 40, m = 34, features = 6;
  const matrix x = matrix::Random(n, features), y = matrix::Random(m, features).array() + 0.3f, p = matrix::Constant(m, 3, 1.f / 3);
  matrix gx(n, features), gy(m, features), gp(m, 3);
  const gradients out{gx, gy};
  const std::vector<std::int64_t> of_x = labels_of(n), of_y = labels_of(m);
  check_whole("CORAL", coral{}, out, x, y);
  check_whole("TLlib's CORAL", compat::coral_with_means{}, out, x, y);
  check_whole("log-Euclidean CORAL", log_euclidean_coral{0.1}, out, x, y);
  check_whole("central moments", central_moment_discrepancy{}, out, x, y);
  check_whole("feature norm", hard_feature_norm{}, out, x, y);
  check_whole("spectral penalisation", batch_spectral_penalisation{2}, out, x, y);
  check_whole("optimal transport", optimal_transport{}, out, x, y);
  check_whole("Sinkhorn divergence", sinkhorn_divergence{{.blur = 1}}, out, x, y);
  check_whole("energy distance", energy_distance{1.5}, out, x, y);
  check_whole("local MMD", local_mmd{of_x}, out, x, y, p);
  check_whole("contrastive", contrastive_domain_discrepancy{of_x, of_y, 3}, out, x, y);
  check_whole("inverse Gram", inverse_gram_alignment{}, out, x, y);
  const matrix short_x = x.topRows(2), short_y = y.topRows(2);
  matrix short_gx(2, features), short_gy(2, features);
  check_whole("subspaces", representation_subspace_distance{0.1}, gradients{short_gx, short_gy}, short_x, short_y);
  const matrix line_x = x.leftCols(1), line_y = y.leftCols(1), directions = matrix::Random(features, 9), phase = matrix::Random(1, 9);
  matrix line_gx(n, 1), line_gy(m, 1);
  check_whole("one dimension", wasserstein{}, gradients{line_gx, line_gy}, line_x, line_y);
  check_whole("sliced", sliced_wasserstein{}, out, x, y, directions);
  check_whole("Fourier features", random_fourier_mmd{}, out, x, y, directions);
  check_whole("cosine features", random_cosine_mmd{}, out, x, y, directions, phase);
  check_whole("Nystrom", nystrom_mmd{}, out, x, y, short_x);
  const matrix coupling = matrix::Constant(n, m, 1.f / static_cast<float>(n * m));
  check_whole("coupled", joint_distribution_transport{of_x}, out, x, y, p, coupling);
}

} // namespace
