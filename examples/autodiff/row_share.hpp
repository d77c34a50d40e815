#pragma once
#include <vector>

#include "../distributed/ranks.hpp"
#include "tensor.hpp"

namespace dalib::ad {

/// Which images of a batch each rank has. The batch is blocks of images one behind the other, such as the source's and the target's; every
/// rank has a part of each block, so that what a batch is of does not depend on the number of ranks.
struct row_share {
  std::vector<index_t> blocks; ///< images of the whole batch in each

  index_t total() const {
    index_t sum = 0;
    for (const index_t n : blocks) sum += n;
    return sum;
  }
  /// Parts of the whole batch, in the order in which the rank has them.
  std::vector<distributed::part> of_rank(int rank) const {
    std::vector<distributed::part> parts;
    index_t before = 0;
    for (const index_t n : blocks) {
      const auto [first, count] = distributed::part_of(n, rank, distributed::ranks::all().size());
      parts.push_back({before + first, count});
      before += n;
    }
    return parts;
  }
  index_t images(int rank) const {
    index_t sum = 0;
    for (const distributed::part& p : of_rank(rank)) sum += p.count;
    return sum;
  }
};

} // namespace dalib::ad
