#include "io/random.hpp"
#include "report/embedding.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using namespace dalib::report;

namespace {

/// n points around `clusters` centres in `features` dimensions, point i in cluster i % clusters.
Eigen::MatrixXd clustered(Eigen::Index n, Eigen::Index features, Eigen::Index clusters, double distance) {
  dalib::io::random_generator random(11);
  Eigen::MatrixXd centres(clusters, features);
  for (Eigen::Index i = 0; i < centres.size(); ++i) centres.data()[i] = distance * random.normal();
  Eigen::MatrixXd points(n, features);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index f = 0; f < features; ++f) points(i, f) = centres(i % clusters, f) + random.normal();
  return points;
}

/// Share of points whose nearest neighbour in the plane is of their own cluster.
double purity(const Eigen::MatrixXd& plane, Eigen::Index clusters) {
  int same = 0;
  for (Eigen::Index i = 0; i < plane.rows(); ++i) {
    Eigen::VectorXd distances = (plane.rowwise() - plane.row(i)).rowwise().squaredNorm();
    distances(i) = std::numeric_limits<double>::infinity();
    Eigen::Index nearest = 0;
    distances.minCoeff(&nearest);
    same += nearest % clusters == i % clusters ? 1 : 0;
  }
  return same / static_cast<double>(plane.rows());
}

} // namespace

TEST_CASE("principal components of a known covariance") {
  // Symmetric points +-3 e1', +-1 e2' in a turned basis: the components are the basis, the variances known in closed form.
  const double c = std::cos(0.4);
  const double s = std::sin(0.4);
  Eigen::MatrixXd points(4, 2);
  points << 3 * c, 3 * s, -3 * c, -3 * s, -s, c, s, -c;
  points.array() += 10;
  const auto result = pca(points, 2);
  CHECK(result.mean(0) == doctest::Approx(10));
  CHECK(result.variances(0) == doctest::Approx(18.0 / 3));
  CHECK(result.variances(1) == doctest::Approx(2.0 / 3));
  CHECK(result.components(0, 0) == doctest::Approx(c));
  CHECK(result.components(1, 0) == doctest::Approx(s));
  CHECK(result.components(1, 1) == doctest::Approx(c)); // the largest entry is positive
  CHECK(result.scores(0, 0) == doctest::Approx(3));
  CHECK(result.scores(1, 0) == doctest::Approx(-3));
}

TEST_CASE("principal components do not depend on the side they are computed from, nor on sign or storage of the data") {
  const Eigen::MatrixXd points = clustered(12, 40, 3, 2);
  const auto wide = pca(points, 3); // fewer points than features
  CHECK((wide.components.transpose() * wide.components - Eigen::MatrixXd::Identity(3, 3)).norm() < 1e-10);
  Eigen::MatrixXd repeated(48, 40); // the same distribution with more points than features
  repeated << points, points, points, points;
  const auto tall = pca(repeated, 3);
  CHECK((tall.components - wide.components).norm() < 1e-8);
  CHECK((tall.scores.topRows(12) - wide.scores).norm() < 1e-8);
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> single = points.cast<float>();
  CHECK((pca(single, 3).scores - wide.scores).norm() < 1e-4);
  CHECK(pca(points, 100).scores.cols() == 12);
}

TEST_CASE("principal components of degenerate points are finite") {
  for (const auto& points : {Eigen::MatrixXd(Eigen::MatrixXd::Ones(5, 3)), Eigen::MatrixXd(Eigen::MatrixXd::Ones(1, 3)),
                             Eigen::MatrixXd(Eigen::MatrixXd::Ones(2, 6))}) {
    const auto result = pca(points, 2);
    CHECK(result.scores.norm() == 0);
    CHECK(result.components.allFinite());
    CHECK(result.variances.norm() == 0);
  }
  CHECK_THROWS_AS(pca(Eigen::MatrixXd(0, 3), 2), std::invalid_argument);
  CHECK_THROWS_WITH_AS(pca(Eigen::MatrixXd::Ones(2, 3), 0), "pca: the number of components must be positive, got 0", std::invalid_argument);
  Eigen::MatrixXd bad = Eigen::MatrixXd::Ones(2, 3);
  bad(1, 2) = std::nan("");
  CHECK_THROWS_AS(pca(bad, 1), std::invalid_argument);
}

TEST_CASE("conditional probabilities reach the perplexity that was asked for") {
  const Eigen::MatrixXd points = clustered(200, 10, 4, 3).transpose();
  for (const double perplexity : {5.0, 30.0}) {
    Eigen::ArrayXd p(200);
    detail::conditional_probabilities(points, 17, std::log(perplexity), p);
    CHECK(p(17) == 0);
    CHECK(p.sum() == doctest::Approx(1));
    const double entropy = -(p > 0).select(p * p.max(1e-300).log(), 0).sum();
    CHECK(std::exp(entropy) == doctest::Approx(perplexity).epsilon(1e-4));
  }
  const auto joint = detail::joint_probabilities(points, 30, 1);
  CHECK(joint.sum() == doctest::Approx(1).epsilon(1e-5));
  CHECK(joint.leftCols(200) == joint.leftCols(200).transpose());
  CHECK(joint.cols() % detail::lanes == 0);
}

TEST_CASE("the forces of t-SNE are the gradient of the Kullback-Leibler divergence") {
  constexpr Eigen::Index n = 21;
  const auto p = detail::joint_probabilities(clustered(n, 5, 3, 3).transpose(), 5, 1);
  dalib::io::random_generator random(3);
  Eigen::ArrayXf x = Eigen::ArrayXf::Constant(p.cols(), 1e15f);
  Eigen::ArrayXf y = x;
  for (Eigen::Index i = 0; i < n; ++i) {
    x(i) = static_cast<float>(random.normal());
    y(i) = static_cast<float>(random.normal());
  }
  const auto divergence = [&](Eigen::Index moved, double shift) {
    double normaliser = 0;
    double attraction = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        if (i == j) continue;
        const auto at = [&](Eigen::Index k) { return static_cast<double>(x(k)) + (k == moved ? shift : 0); };
        const double dx = at(i) - at(j);
        const double dy = static_cast<double>(y(i)) - static_cast<double>(y(j));
        const double w = 1 / (1 + dx * dx + dy * dy);
        normaliser += w;
        attraction += static_cast<double>(p(i, j)) * std::log(w);
      }
    return std::log(normaliser) * static_cast<double>(p.cast<double>().sum()) - attraction;
  };
  double weights = -static_cast<double>(n);
  for (Eigen::Index i = 0; i < n; ++i) weights += static_cast<double>(detail::forces_on(i, p, x, y).weight);
  for (const Eigen::Index i : {0, 7, 20}) {
    const auto f = detail::forces_on(i, p, x, y);
    const double gradient = 4 * (static_cast<double>(f.attraction_x) - static_cast<double>(f.repulsion_x) / weights);
    const double numeric = (divergence(i, 1e-4) - divergence(i, -1e-4)) / 2e-4;
    CHECK(std::abs(gradient) > 1e-4);
    CHECK(gradient == doctest::Approx(numeric).epsilon(1e-3));
  }
}

TEST_CASE("t-SNE separates clusters and keeps neighbours together") {
  const Eigen::MatrixXd points = clustered(300, 30, 6, 1.2);
  const Eigen::MatrixXd plane = tsne(points);
  REQUIRE(plane.rows() == 300);
  REQUIRE(plane.cols() == 2);
  CHECK(plane.allFinite());
  CHECK(purity(plane, 6) > 0.98);
  CHECK(purity(plane, 6) > purity(pca(points, 2).scores, 6) + 0.05);
}

TEST_CASE("t-SNE gives the same bits for any number of threads") {
  const Eigen::MatrixXf points = clustered(203, 60, 5, 2).cast<float>(); // a number of points that no block size divides
  tsne_options options;
  options.iterations = 300;
  options.threads = 1;
  const Eigen::MatrixXd once = tsne(points, options);
  for (const int threads : {2, 3, 8}) {
    options.threads = threads;
    CHECK(tsne(points, options) == once);
  }
}

TEST_CASE("t-SNE of few or equal points is finite") {
  for (Eigen::Index n = 1; n < 6; ++n) CHECK(tsne(clustered(n, 4, 2, 3)).allFinite());
  CHECK(tsne(Eigen::MatrixXd::Ones(40, 3)).allFinite());
  Eigen::MatrixXd half_equal = clustered(80, 3, 2, 3);
  half_equal.topRows(60).setOnes();
  CHECK(tsne(half_equal).allFinite());
  CHECK(tsne(1e-30 * clustered(30, 3, 2, 3)).allFinite());
  CHECK(tsne(1e30 * clustered(30, 3, 2, 3)).allFinite());
  CHECK(tsne(clustered(20, 1, 2, 3)).allFinite());
  CHECK_THROWS_AS(tsne(Eigen::MatrixXd::Ones(5, 2), {.perplexity = 0.5}), std::invalid_argument);
  CHECK_THROWS_AS(tsne(Eigen::MatrixXd(0, 2)), std::invalid_argument);
}

TEST_CASE("domains are embedded together and returned apart") {
  const Eigen::MatrixXd points = clustered(90, 8, 3, 3);
  const auto by_pca = embed_by_pca(points.topRows(30), points.bottomRows(60));
  CHECK(by_pca.source.rows() == 30);
  CHECK(by_pca.target.rows() == 60);
  CHECK(by_pca.target == pca(points, 2).scores.bottomRows(60));
  const auto by_tsne = embed_by_tsne(points.topRows(30), points.bottomRows(60), {.iterations = 50});
  CHECK(by_tsne.source == tsne(points, {.iterations = 50}).topRows(30));
  CHECK(embed_by_pca(Eigen::MatrixXd::Random(3, 1), Eigen::MatrixXd::Random(2, 1)).source.cols() == 2);
  CHECK_THROWS_WITH_AS(embed_by_pca(Eigen::MatrixXd::Zero(3, 4), Eigen::MatrixXd::Zero(2, 5)),
                       "embed_by_pca: source (3, 4) and target (2, 5) must have the same number of features", std::invalid_argument);
}
