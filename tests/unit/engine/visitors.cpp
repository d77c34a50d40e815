// Visitors of a user's own on the pair loop.
#include "conformance/samples.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// Weight of the pairs whose kernel is above a level, sum c k, and sum c k^2: what dalib has no visitor for.
struct tail_and_moments {
  static constexpr int numbers = 3;
  double level = 0.5;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    using number = typename Pair::number;
    const number k = pair.value();
    sums[0] += pair.counted(pair.coefficient * select(k > number(level), number(1), number(0)));
    sums[1] += pair.share();
    sums[2] += pair.counted(pair.coefficient * k * k);
  }
};

/// The value, its gradient, and a number besides.
struct gradient_and_square {
  static constexpr int numbers = 2;
  static constexpr bool pulls = true;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    pair.pull();
    sums[0] += pair.share();
    sums[1] += pair.counted(pair.coefficient * pair.value() * pair.value());
  }
};

static_assert(engine::pair_visitor<tail_and_moments> && engine::pair_visitor<gradient_and_square> && !engine::pair_visitor<int>);

} // namespace

TEST_CASE_TEMPLATE("a user's visitor adds up its numbers over all pairs", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 1e-5 : 1e-12;
  for (const index_t ns : {5, 90, 300}) {
    CAPTURE(ns);
    const matrix<T> x = normal_rows<T>(ns, 6, 1), y = normal_rows<T>(ns / 2 + 1, 6, 2);
    const kernel::gaussian kernel{3.0};
    Eigen::MatrixXd joint(x.rows() + y.rows(), 6), k(joint.rows(), joint.rows());
    joint << x.template cast<double>(), y.template cast<double>();
    kernel_matrix(exec::serial{}, kernel, joint, k);
    double tail = 0, first = 0, second = 0;
    for (index_t i = 0; i < k.rows(); ++i)
      for (index_t j = 0; j < k.rows(); ++j) {
        const double n = static_cast<double>(x.rows()), m = static_cast<double>(y.rows());
        const double c = i < x.rows() ? (j < x.rows() ? 1 / (n * n) : -1 / (n * m)) : (j < x.rows() ? -1 / (n * m) : 1 / (m * m));
        tail += k(i, j) > 0.5 ? c : 0;
        first += c * k(i, j);
        second += c * k(i, j) * k(i, j);
      }
    const auto found = visit_pairs(exec::openmp{2}, tail_and_moments{}, kernel, estimator::biased{}, x, y);
    CHECK(std::abs(found[0] - tail) < bound);
    CHECK(std::abs(found[1] - first) < bound);
    CHECK(std::abs(found[2] - second) < bound);
    const auto again = visit_pairs(exec::serial{}, tail_and_moments{}, kernel, estimator::biased{}, x, y);
    CHECK((again[0] == found[0] && again[1] == found[1] && again[2] == found[2]));
  }
}

TEST_CASE("a user's visitor pulls as the library's does, to the last bit") {
  const matrix<float> x = normal_rows<float>(200, 20, 1), y = normal_rows<float>(150, 20, 2, 1, 0.2);
  const auto kernel = kernel::gaussian_ladder{} + 0.1 * kernel::linear{};
  matrix<float> gx = x, gy = y, hx = x, hy = y;
  const auto found = visit_pairs(exec::serial{}, gradient_and_square{}, kernel, estimator::biased{}, x, y, gradients{gx, gy});
  const auto value =
      visit_pairs(exec::serial{}, engine::value_and_gradient_visitor{}, kernel, estimator::biased{}, x, y, gradients{hx, hy});
  CHECK(found[0] == value[0]);
  CHECK(gx == hx);
  CHECK(gy == hy);
  CHECK(gx.norm() > 0);
}

TEST_CASE_TEMPLATE("the value of each layer alone is the mmd of its kernel", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 1e-6 : 1e-14;
  for (const index_t n : {20, 300}) {
    const matrix<T> fs = normal_rows<T>(n, 6, 1), ft = normal_rows<T>(n / 2, 6, 2, 1, 0.3), ps = normal_rows<T>(n, 3, 3),
                    pt = normal_rows<T>(n / 2, 3, 4, 1.2);
    const auto check = [&](const auto& first, const auto& second, const auto& estimator) {
      const joint_mmd joint{layer_kernels(first, second), estimator};
      const auto alone = joint.layer_values(exec::openmp{2}, layers(fs, ps), layers(ft, pt));
      CHECK(std::abs(alone[0] - static_cast<double>(mmd{first, estimator}(fs, ft))) < bound);
      CHECK(std::abs(alone[1] - static_cast<double>(mmd{second, estimator}(ps, pt))) < bound);
      CHECK(alone == joint.layer_values(exec::serial{}, layers(fs, ps), layers(ft, pt)));
      CHECK(alone[0] != alone[1]);
    };
    check(kernel::gaussian_ladder{}, kernel::gaussian{1.0}, estimator::unbiased{}); // one pass
    check(kernel::gaussian_ladder{}, 0.1 * kernel::linear{}, estimator::biased{});  // one for each
    check(kernel::gaussian_ladder{}, kernel::gaussian{1.0}, estimator::linear_time{});
  }
}

TEST_CASE("visit_pairs refuses what a measure refuses") {
  const matrix<double> x = normal_rows<double>(5, 3, 1), narrow = normal_rows<double>(5, 2, 2), one = normal_rows<double>(1, 3, 2);
  CHECK_THROWS_WITH_AS(visit_pairs(exec::serial{}, engine::value_visitor{}, kernel::gaussian{}, estimator::biased{}, x, narrow),
                       doctest::Contains("visit_pairs"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(visit_pairs(exec::serial{}, engine::value_visitor{}, kernel::gaussian{}, estimator::unbiased{}, x, one),
                       doctest::Contains("visit_pairs"), std::invalid_argument);
}
