#pragma once
#include <vector>

#include "variable.hpp"

namespace dalib::ad {

/// Square window of a convolution or pooling.
struct window {
  index_t kernel = 1;
  index_t stride = 1;
  index_t padding = 0;
  index_t outputs(index_t inputs) const { return (inputs + 2 * padding - kernel) / stride + 1; }
};

/// Checks that `w` fits on images of `shape` and returns the geometry of the result. @throws std::invalid_argument
inline geometry window_result(const char* function, const geometry& shape, const window& w) {
  const bool valid = w.kernel >= 1 && w.stride >= 1 && w.padding >= 0 && w.padding < w.kernel && shape.images >= 1 &&
                     shape.height + 2 * w.padding >= w.kernel && shape.width + 2 * w.padding >= w.kernel;
  if (!valid)
    throw std::invalid_argument(std::string(function) + ": window " + std::to_string(w.kernel) + " (stride " + std::to_string(w.stride) +
                                ", padding " + std::to_string(w.padding) + ") does not fit on " + std::to_string(shape.images) +
                                " images of " + std::to_string(shape.height) + " x " + std::to_string(shape.width));
  return {shape.images, w.outputs(shape.height), w.outputs(shape.width)};
}

/// Coordinates [first, last) of one axis.
struct axis_range {
  index_t first, last;
};

namespace detail {
/// The source coordinates of window number `o` of one axis that lie in the image.
inline axis_range clipped_window(index_t o, const window& w, index_t size) {
  const index_t start = o * w.stride - w.padding;
  return {std::max<index_t>(0, start), std::min(size, start + w.kernel)};
}
} // namespace detail

/// One axis of a sliding window: which taps of the kernel read which source coordinates, without those in the padding.
///
/// Coordinates with the same taps form a kind: corners, borders and the inside of an image are each done without tests
/// and without arithmetic on padding.
struct window_axis {
  struct tap {
    index_t kernel; // position in the packed kernel
    index_t offset; // source coordinate minus base, 0 for the first tap
    friend bool operator==(const tap&, const tap&) = default;
  };
  std::vector<index_t> base;                 // per result coordinate
  std::vector<std::size_t> kind;           // per result coordinate
  std::vector<std::vector<tap>> kinds;     // ascending offsets, possibly none
  std::vector<std::vector<index_t>> members; // result coordinates of each kind, ascending

  /// Result coordinate o of a convolution reads o * stride - padding + k.
  static window_axis forward(index_t sources, index_t results, const window& w) {
    window_axis axis;
    for (index_t o = 0; o < results; ++o) {
      std::vector<tap> taps;
      for (index_t k = 0; k < w.kernel; ++k)
        if (const index_t source = o * w.stride - w.padding + k; source >= 0 && source < sources) taps.push_back({k, source});
      axis.add(std::move(taps));
    }
    return axis;
  }

  /// Image coordinate i of a convolution's input gradient reads the result gradient at (i + padding - k) / stride, where that
  /// is whole. The packed kernel is reversed, so that neighbours in the source are neighbours in the kernel at stride 1.
  static window_axis backward(index_t sources, index_t results, const window& w) {
    window_axis axis;
    for (index_t i = 0; i < results; ++i) {
      std::vector<tap> taps;
      for (index_t k = w.kernel - 1; k >= 0; --k) {
        const index_t shifted = i + w.padding - k;
        if (shifted < 0 || shifted % w.stride != 0) continue;
        if (const index_t source = shifted / w.stride; source < sources) taps.push_back({w.kernel - 1 - k, source});
      }
      axis.add(std::move(taps));
    }
    return axis;
  }

private:
  void add(std::vector<tap> taps) {
    const index_t origin = taps.empty() ? 0 : taps.front().offset;
    for (tap& t : taps) t.offset -= origin;
    const auto found = std::find(kinds.begin(), kinds.end(), taps);
    const auto number = static_cast<std::size_t>(found - kinds.begin());
    if (found == kinds.end()) {
      kinds.push_back(std::move(taps));
      members.emplace_back();
    }
    members[number].push_back(static_cast<index_t>(base.size()));
    base.push_back(origin);
    kind.push_back(number);
  }
};

} // namespace dalib::ad
