// The witness function as a picture: where do two samples in the plane differ? Usage: witness_picture [FILE.svg]
#include "../io/atomic_file.hpp"
#include "witness_map.hpp"

#include <dalib/dalib.hpp>
#include <dalib/inference/draws.hpp>
#include <dalib/inference/witness.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iostream>
#include <numbers>

using namespace dalib;
using matrix = Eigen::MatrixXd;

namespace {

/// Rows on a circle with noise; the second sample has a gap of a quarter, and what is missing there stands in the middle.
matrix ring(index_t n, bool gap, std::uint64_t seed) {
  matrix z(n, 2);
  for (index_t i = 0; i < n; ++i) {
    const inference::draw one(seed, inference::draw_stream::row, i);
    const double turn = one.uniform(0), radius = gap && turn < 0.25 ? 0 : 2, angle = 2 * std::numbers::pi * turn;
    z.row(i) << radius * std::cos(angle) + 0.3 * one.normal(1), radius * std::sin(angle) + 0.3 * one.normal(2);
  }
  return z;
}

std::vector<compare::witness_map::position> positions(const matrix& z) {
  std::vector<compare::witness_map::position> result;
  for (index_t i = 0; i < z.rows(); ++i) result.push_back({z(i, 0), z(i, 1)});
  return result;
}

} // namespace

int main(int argc, char** argv) {
  try {
    const matrix before = ring(300, false, 1), after = ring(300, true, 2);
    auto map = compare::witness_map::around(positions(before), positions(after));
    matrix points(static_cast<index_t>(map.cells()), 2);
    for (std::size_t cell = 0; cell < map.cells(); ++cell)
      points.row(static_cast<index_t>(cell)) << map.centre(cell)[0], map.centre(cell)[1];

    map.values = inference::witness{kernel::gaussian{0.5}}(before, after, points);
    io::write_text_file(argc > 1 ? argv[1] : "witness.svg",
                        compare::witness_plot(map, {"Where do they differ?", "before", "after", "first feature", "second feature"}));
    const auto [low, high] = std::minmax_element(map.values.begin(), map.values.end());
    std::cout << "the witness is between " << *low << " (more of the second) and " << *high << " (more of the first)\n";
    return *low < -0.05 && *high > 0.02 ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
