/// @file
/// Incomplete U statistics: as many pairs of pairs as one can afford.
#pragma once

#include "dalib/core/random.hpp"
#include "dalib/estimator/estimators.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dalib::estimator {

/// Two places in both domains.
struct row_pair {
  index_t first;
  index_t second;
};

/// Pairs drawn with replacement from a seed: two different rows of the source and, independently of them, two of the target, uniformly.
/// They are functions of the seed and the quadruple's number: the same everywhere, and never held.
struct drawn_pairs {
  index_t count;
  std::uint64_t seed = 0;

  index_t size() const { return count; }
  quadruple_places places(const sample_sizes& n, index_t q) const {
    const std::uint64_t key = splitmix64(splitmix64(seed) + static_cast<std::uint64_t>(q) * 0x9E3779B97F4A7C15U);
    const auto below = [&](std::uint64_t which, index_t bound) { // the bias is bound * 2^-53
      const double uniform = static_cast<double>(splitmix64(key + which * 0x9E3779B97F4A7C15U) >> 11) * 0x1p-53;
      return static_cast<index_t>(uniform * static_cast<double>(bound));
    };
    const index_t s = below(0, n.source), t = below(1, n.target);
    return {s, (s + 1 + below(2, n.source - 1)) % n.source, t, (t + 1 + below(3, n.target - 1)) % n.target};
  }
  void require(const sample_sizes& n) const {
    if (n.source < 2 || n.target < 2) fail(n, "estimator::incomplete needs at least 2 samples in each domain");
  }
};

/// Pairs given as a list, which must outlive the estimator: quadruple q is (s_i, s_j, t_i, t_j) of pair q = (i, j).
class given_pairs {
public:
  given_pairs(std::span<const row_pair> list) : list_(list) {}
  given_pairs(const std::vector<row_pair>& list) : list_(list) {}
  given_pairs(std::vector<row_pair>&&) = delete; // would be gone when it is read

  index_t size() const { return static_cast<index_t>(list_.size()); }
  quadruple_places places(const sample_sizes&, index_t q) const {
    const row_pair& pair = list_[static_cast<std::size_t>(q)];
    return {pair.first, pair.second, pair.first, pair.second};
  }
  void require(const sample_sizes& n) const {
    const index_t rows = n.source < n.target ? n.source : n.target;
    for (const row_pair& pair : list_)
      if (pair.first < 0 || pair.second < 0 || pair.first >= rows || pair.second >= rows || pair.first == pair.second)
        fail(n, "estimator::incomplete needs pairs of different places that both domains have, not (" + std::to_string(pair.first) + ", " +
                    std::to_string(pair.second) + ")");
  }

private:
  std::span<const row_pair> list_;
};

/// Incomplete U statistic: mean of h(s_i, s_j, t_k, t_l) = k(s_i, s_j) + k(t_k, t_l) - k(s_i, t_l) - k(s_j, t_k) over a list of quadruples
/// (Blom 1976; Schrab et al. 2022, eq. 6): between linear_time, n / 2 of them, and unbiased, all of them. Written `incomplete{1000}` or
/// `incomplete{1000, seed}` for pairs drawn from a seed, `incomplete{list}` for a list of row_pair. Unbiased if the pairs do not depend on
/// the data. Gradients are exact; a row in no pair has gradient 0. O(pairs F) time, O(pairs) memory. Takes no weights.
/// @throws std::invalid_argument for no pairs, fewer than 2 samples in a domain, places that do not exist or that are equal, or weights.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// const kernel::gaussian<bandwidth::fixed> k{bandwidth::fixed{1}};
/// const mmd drawn{k, estimator::incomplete{20000, 7}};
/// assert(std::abs(drawn(zs, zt) - mmd{k, estimator::unbiased{}}(zs, zt)) < 0.02); // what it estimates
/// const std::vector<estimator::row_pair> neighbours = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, 11}};
/// const double listed = mmd{k, estimator::incomplete{neighbours}}(zs, zt);
/// assert(std::abs(listed - mmd{k, estimator::linear_time{}}(zs, zt)) < 1e-14);
/// static_assert(listed_quadruple_estimator<estimator::incomplete<estimator::drawn_pairs>>);
/// static_assert(std::is_same_v<decltype(estimator::incomplete{neighbours}), estimator::incomplete<estimator::given_pairs>>);
/// @endcode
template <class Pairs>
struct incomplete {
  Pairs pairs;

  quadruple_plan plan(const sample_sizes& n) const {
    if (pairs.size() < 1) fail(n, "estimator::incomplete needs at least one pair");
    if (n.has_weights) fail(n, "estimator::incomplete takes no sample weights");
    pairs.require(n);
    const double each = 1 / static_cast<double>(pairs.size());
    return {.count = pairs.size(), .within = each, .across = each};
  }
  quadruple_places places(const sample_sizes& n, index_t q) const { return pairs.places(n, q); }
};
incomplete(int)->incomplete<drawn_pairs>;
incomplete(index_t)->incomplete<drawn_pairs>;
template <class Count, class Seed>
incomplete(Count, Seed) -> incomplete<drawn_pairs>;
incomplete(const std::vector<row_pair>&)->incomplete<given_pairs>;
incomplete(std::span<const row_pair>)->incomplete<given_pairs>;

} // namespace dalib::estimator
