/// @file
/// Estimators of the squared MMD: which pairs enter, with which weights.
#pragma once

#include "dalib/estimator/parts.hpp"

#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>

namespace dalib {

/// An estimator that is a weighted sum over all pairs; O(n^2 F).
template <class E>
concept full_pair_estimator = requires(const E& e, const sample_sizes& n) {
  { e.coefficients(n) } -> std::same_as<pair_coefficients>;
};

/// An estimator over O(n) pairs; O(n F).
template <class E>
concept quadruple_estimator = requires(const E& e, const sample_sizes& n) {
  { e.plan(n) } -> std::same_as<quadruple_plan>;
};

/// An estimator over quadruples of any rows: `plan(n)` says how many and with which weights, `places(n, q)` which rows quadruple q has.
template <class E>
concept listed_quadruple_estimator = quadruple_estimator<E> && requires(const E& e, const sample_sizes& n) {
  { e.places(n, index_t{}) } -> std::same_as<quadruple_places>;
};

/// An estimator that averages another one over blocks of rows.
template <class E>
concept block_estimator = requires(const E& e, const sample_sizes& n) {
  { e.block_rows(n) } -> std::same_as<index_t>;
  e.within;
};

/// An estimator that is the sum of others, given as a tuple of them.
template <class E>
concept composite_estimator = requires(const E& e) {
  std::tuple_size<std::remove_cvref_t<decltype(e.parts())>>::value;
};

/// What a measure takes as its estimator: it says which parts it is made of.
///
/// @code{.cpp}
/// struct first_quarter { // disjoint quadruples from the first half of both domains
///   quadruple_plan plan(const sample_sizes& n) const {
///     const dalib::index_t count = std::min(n.source, n.target) / 4;
///     if (count < 1) fail(n, "first_quarter needs at least 4 samples in each domain");
///     return {.count = count, .within = 1.0 / static_cast<double>(count), .across = 1.0 / static_cast<double>(count)};
///   }
/// };
/// static_assert(quadruple_estimator<first_quarter> && estimator_policy<first_quarter>);
/// struct both { // a sum
///   auto parts() const { return std::tuple{first_quarter{}, estimator::biased{}}; }
/// };
/// static_assert(full_pair_estimator<estimator::biased> && block_estimator<estimator::block<>> && composite_estimator<both>);
/// static_assert(listed_quadruple_estimator<estimator::incomplete<estimator::drawn_pairs>>);
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(16, 4);
/// const kernel::gaussian<bandwidth::fixed> k{bandwidth::fixed{1}};
/// const double own = mmd{k, first_quarter{}}(zs, zt);
/// const double linear = mmd{k, estimator::linear_time{}}(zs.topRows(8).eval(), zt.topRows(8).eval());
/// assert(std::abs(own - linear) < 1e-15);
/// assert(std::abs(mmd{k, both{}}(zs, zt) - own - mmd{k, estimator::biased{}}(zs, zt)) < 1e-14);
/// @endcode
template <class E>
concept estimator_policy = full_pair_estimator<E> || quadruple_estimator<E> || block_estimator<E> || composite_estimator<E>;

namespace estimator {

namespace detail {
/// 1 / (number of ordered pairs of distinct rows) for a domain of that total weight.
inline double per_distinct_pair(const sample_sizes& n, double weight) {
  if (!(weight > 1))
    fail(n, n.has_weights
                ? "estimator::unbiased needs at least 2 samples (by weight) in each domain: weights are counts, so their sum must "
                  "be more than 1. For weights that sum to 1 take estimator::biased, or multiply them by the number of rows"
                : "estimator::unbiased needs at least 2 samples in each domain");
  return 1 / (weight * (weight - 1));
}
} // namespace detail

/// V statistic: 1/n_s^2 sum k(s,s') + 1/n_t^2 sum k(t,t') - 2/(n_s n_t) sum k(s,t), all pairs (Gretton et al. 2012, eq. 5). Never negative
/// for a positive definite kernel; biased upwards by O(1/n). Takes weights; only their ratios count, so they may sum to 1.
/// @throws std::invalid_argument if the weights of a domain, or of a block of it, sum to 0.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// assert(mmd(kernel::gaussian{}, estimator::biased{})(zs, zt) > 0);
/// assert(std::abs(mmd(kernel::gaussian{}, estimator::biased{})(zs, zs)) < 1e-15);
/// @endcode
struct biased {
  pair_coefficients coefficients(const sample_sizes& n) const {
    if (!(n.source_weight > 0) || !(n.target_weight > 0))
      fail(n, "estimator::biased needs at least one sample of positive weight in each domain");
    return {1 / (n.source_weight * n.source_weight), 1 / (n.target_weight * n.target_weight), -1 / (n.source_weight * n.target_weight),
            false, 0};
  }
};

/// U statistic: a row is not paired with itself (Gretton et al. 2012, eq. 3 for any n_s, n_t). Unbiased, hence below zero about half of the
/// time when both laws are equal: that is no error. Takes weights, which are counts: their sum in a domain is its number of samples.
/// @throws std::invalid_argument for fewer than 2 samples in a domain, or weights that sum to 1 or less.
///
/// @code{.cpp}
/// const Eigen::MatrixXd z = Eigen::MatrixXd::Random(16, 4);
/// assert(mmd(kernel::gaussian{}, estimator::unbiased{})(z, z) < 0); // equal samples: below the mean of 0
/// @endcode
struct unbiased {
  pair_coefficients coefficients(const sample_sizes& n) const {
    return {detail::per_distinct_pair(n, n.source_weight), detail::per_distinct_pair(n, n.target_weight),
            -1 / (n.source_weight * n.target_weight), true, 0};
  }
};

/// Mean of h(z_2q, z_2q+1) over floor(min(n_s, n_t) / 2) disjoint quadruples, h = k(s,s') + k(t,t') - k(s,t') - k(s',t) (Gretton et al.
/// 2012, section 6, lemma 14). Unbiased; O(n F). Rows beyond 2 floor(min / 2) are not used and get zero gradient.
/// @throws std::invalid_argument for fewer than 2 samples in a domain.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(7, 4), zt = Eigen::MatrixXd::Random(9, 4);
/// const auto [value, gs, gt] = value_and_gradient(mmd{kernel::gaussian{}, estimator::linear_time{}}, zs, zt);
/// assert(gs.row(6).isZero(0) && gt.bottomRows(3).isZero(0) && !gs.row(5).isZero(0)); // 3 quadruples, 6 rows of each domain
/// @endcode
struct linear_time {
  quadruple_plan plan(const sample_sizes& n) const {
    const index_t count = (n.source < n.target ? n.source : n.target) / 2;
    if (count < 1) fail(n, "estimator::linear_time needs at least 2 samples in each domain");
    if (n.has_weights) fail(n, "estimator::linear_time takes no sample weights");
    return {count, false, 1 / static_cast<double>(count), 1 / static_cast<double>(count), 0};
  }
};

/// B-test: mean of the `within` estimator over floor(min(n_s, n_t) / rows) blocks of `rows` source and `rows` target samples (Zaremba et
/// al. 2013, eq. 4). One block of everything is the inner estimator itself. Rows beyond the last whole block are not used, except by a
/// bandwidth rule that looks at the data. Blocks are cut by the rows' places; a row of weight 0 keeps its place.
/// @throws std::invalid_argument if there is no whole block, rows < 2, or the inner estimator refuses a block.
///
/// @code{.cpp}
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(16, 4);
/// const kernel::gaussian<bandwidth::fixed> k{bandwidth::fixed{1}};
/// const mmd inner{k, estimator::unbiased{}};
/// const double halves = inner(zs.topRows(8).eval(), zt.topRows(8).eval()) + inner(zs.bottomRows(8).eval(), zt.bottomRows(8).eval());
/// assert(std::abs(mmd{k, estimator::block{8}}(zs, zt) - halves / 2) < 1e-14);
/// @endcode
template <class Inner = unbiased>
struct block {
  index_t rows = 64;
  Inner within{};

  index_t block_rows(const sample_sizes& n) const {
    const index_t fewest = n.source < n.target ? n.source : n.target;
    if (rows < 2 || rows > fewest)
      fail(n, "estimator::block needs blocks of at least 2 rows and at most the smaller domain's, not " + std::to_string(rows));
    return rows;
  }
};
block()->block<unbiased>;
block(index_t)->block<unbiased>;
block(int)->block<unbiased>;
template <class Inner>
block(index_t, Inner) -> block<Inner>;

} // namespace estimator

} // namespace dalib
