#pragma once
// A random function of the place in an image.

#include "../../../autodiff/autodiff.hpp"
#include "../../data/bilinear.hpp"
#include "../../../io/random.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace dalib::train {

/// Random numbers at the nodes of a coarse grid over an image, bilinear between them: uneven light, as shades and grounds make it.
/// How coarse the grid is, 1 to 8 cells along each side, and how large the numbers may be is random too. 0.7 kB for double.
template <class T>
class smooth_field {
public:
  static constexpr ad::index_t most_cells = 8;

  /// @param most that a number may be, to either side; 0: the field is 0 everywhere
  smooth_field(double most, io::random_generator random) {
    if (!(most > 0)) return;
    cells_ = 1 + static_cast<ad::index_t>(random.uniform_int(most_cells));
    const double amplitude = random.uniform(0, most);
    for (T& node : nodes_) node = static_cast<T>(random.uniform(-amplitude, amplitude));
  }

  /// At a place whose coordinates are shares of the image's sides, from 0 to 1.
  T operator()(T across, T down) const {
    if (cells_ == 0) return T(0);
    const T x = across * static_cast<T>(cells_), y = down * static_cast<T>(cells_);
    const ad::index_t left = std::min(static_cast<ad::index_t>(x), cells_ - 1), top = std::min(static_cast<ad::index_t>(y), cells_ - 1);
    const T p = x - static_cast<T>(left), q = y - static_cast<T>(top);
    const auto at = [&](ad::index_t r, ad::index_t c) { return nodes_[static_cast<std::size_t>(r * (most_cells + 1) + c)]; };
    return data::bilinear(at(top, left), at(top, left + 1), at(top + 1, left), at(top + 1, left + 1), p, q);
  }

private:
  ad::index_t cells_ = 0;
  std::array<T, (most_cells + 1) * (most_cells + 1)> nodes_{};
};

} // namespace dalib::train
