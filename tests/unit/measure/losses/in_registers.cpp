/// What losses do in registers instead of by a library: columns sorted at once, inverse roots without eigenvectors.
#include <dalib/measure/inverse_root.hpp>
#include <dalib/measure/sliced_wasserstein.hpp>
#include <dalib/tensor/eigen.hpp>

#include <Eigen/QR>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

using namespace dalib;

namespace {

/// A + A', with eigenvalues from 3 down to 3 / ratio, evenly in their logarithms.
Eigen::MatrixXd matrix_of_condition(Eigen::Index size, double ratio) {
  const Eigen::MatrixXd vectors = Eigen::HouseholderQR<Eigen::MatrixXd>(Eigen::MatrixXd::Random(size, size)).householderQ();
  Eigen::VectorXd values(size);
  for (Eigen::Index i = 0; i < size; ++i)
    values(i) = 3 * std::pow(ratio, -static_cast<double>(i) / std::max(1.0, static_cast<double>(size - 1)));
  const Eigen::MatrixXd product = vectors * values.asDiagonal() * vectors.transpose();
  return (product + product.transpose()) / 2;
}

} // namespace

TEST_CASE("each lane is sorted by itself, equal numbers by their places, for any number of rows") {
  using lanes = dalib::detail::sort_lanes<>;
  constexpr float infinite = std::numeric_limits<float>::infinity();
  for (index_t rows = 1; rows <= 70; ++rows) {
    std::vector<float> numbers(static_cast<std::size_t>(rows * lanes::size));
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = std::round(8 * std::sin(static_cast<float>(i * i + 1))) / 4; // many are equal
    numbers.front() = -0.f;
    numbers.back() = rows % 2 == 0 ? infinite : -infinite;
    std::vector<lanes> entries;
    for (index_t i = 0; i < rows; ++i) entries.push_back(lanes::of(numbers.data() + i * lanes::size, i));
    detail::sort_each_lane(entries.data(), rows);
    for (index_t lane = 0; lane < lanes::size; ++lane) {
      std::vector<std::pair<float, index_t>> expected, got;
      for (index_t i = 0; i < rows; ++i) {
        expected.emplace_back(numbers[static_cast<std::size_t>(i * lanes::size + lane)], i);
        const lanes& entry = entries[static_cast<std::size_t>(i)];
        got.emplace_back(entry.numbers()[lane], entry.place(lane));
      }
      std::sort(expected.begin(), expected.end());
      CHECK(got == expected);
    }
  }
}

TEST_CASE("sliced Wasserstein of float rows that are sorted in registers, or are too many, is that of double ones") {
  for (const double p : {1.0, 1.5, 2.0})
    for (const Eigen::Index rows : {1, 2, 7, 64, 256, 257}) {
      const Eigen::MatrixXf x = Eigen::MatrixXf::Random(rows, 5), y = (Eigen::MatrixXf::Random(rows, 5).array() + 0.5f).matrix();
      Eigen::MatrixXf directions(5, 11); // fills no whole number of registers
      fill_directions(directions, 3);
      Eigen::MatrixXf g_x(rows, 5), g_y(rows, 5);
      const Eigen::MatrixXd x_d = x.cast<double>(), y_d = y.cast<double>(), directions_d = directions.cast<double>();
      Eigen::MatrixXd exact_x(rows, 5), exact_y(rows, 5);
      const sliced_wasserstein loss{p};
      const float value = loss.value_and_gradient(x, y, directions, gradients{g_x, g_y});
      const double exact = loss.value_and_gradient(x_d, y_d, directions_d, gradients{exact_x, exact_y});
      CHECK(std::abs(value - exact) < 1e-6 * exact);
      CHECK(value == loss(x, y, directions));
      // Rows that are nearly tied along a direction may change places: hence the norm, and no bound for each row.
      CHECK((g_x.cast<double>() - exact_x).norm() < 2e-3 * exact_x.norm());
      CHECK((g_y.cast<double>() - exact_y).norm() < 2e-3 * exact_y.norm());
    }
}

TEST_CASE("an inverse root by shifted inverses, as exact as eigenvectors; none where a matrix is nearly singular") {
  for (const Eigen::Index size : {1, 2, 3, 8, 31, 65})
    for (const double ratio : {1.0, 10.0, 1e4, 1e7}) {
      Eigen::MatrixXd matrix = matrix_of_condition(size, ratio);
      const Eigen::MatrixXd given = matrix;
      workspace scratch;
      const exec::serial serial;
      const detail::scratch_algebra work(serial, scratch);
      const auto root = detail::root_of(work, detail::real_matrix(matrix.data(), size, size), true);
      REQUIRE(root.has_value());
      double exact = 0;
      for (Eigen::Index i = 0; i < size; ++i)
        exact += std::sqrt(3 * std::pow(ratio, -static_cast<double>(i) / std::max(1.0, static_cast<double>(size - 1))));
      CHECK(std::abs(root->trace / exact - 1) < 1e-11);
      Eigen::MatrixXd inverse(size, size);
      for (Eigen::Index i = 0; i < size; ++i)
        for (Eigen::Index j = 0; j < size; ++j) inverse(i, j) = root->inverse(i, j);
      CHECK((given * inverse * inverse - Eigen::MatrixXd::Identity(size, size)).norm() < 1e-12 + 2e-15 * ratio);
    }
  for (const double ratio : {1e11, 1e30}) {
    Eigen::MatrixXd matrix = matrix_of_condition(9, ratio);
    workspace scratch;
    const exec::serial serial;
    CHECK_FALSE(detail::root_of(detail::scratch_algebra(serial, scratch), detail::real_matrix(matrix.data(), 9, 9), true).has_value());
  }
}
