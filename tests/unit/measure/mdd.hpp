/// @file
/// A random problem of margin disparity, and its formula in extended precision.
#pragma once

#include "support/loss_checks.hpp"

namespace mdd {

/// Logits of both classifiers on both domains.
template <class T>
struct problem {
  checks::row_major<T> s, s_adv, t, t_adv;

  problem(Eigen::Index n_s, Eigen::Index n_t, Eigen::Index classes, double width = 3)
      : s(checks::random_rows<T>(n_s, classes, 1, width)), s_adv(checks::random_rows<T>(n_s, classes, 2, width)),
        t(checks::random_rows<T>(n_t, classes, 3, width)), t_adv(checks::random_rows<T>(n_t, classes, 4, width)) {}
};

struct answer {
  long double value = 0;
  checks::extended source, target;
};

/// margin * mean_s(-log p_k) + mean_t(-log(1 - p_k)); 1 - p_k is the sum of the other probabilities.
template <class T>
answer formula(const problem<T>& p, long double margin) {
  answer result{0, checks::softmax(p.s_adv), checks::softmax(p.t_adv)};
  const auto add = [&](const auto& scores, checks::extended& q, bool is_source) {
    const long double factor = (is_source ? margin : 1.0L) / static_cast<long double>(q.rows());
    for (Eigen::Index i = 0; i < q.rows(); ++i) {
      Eigen::Index k = 0;
      scores.row(i).maxCoeff(&k);
      const long double own = q(i, k);
      q(i, k) = 0;
      const long double rest = q.row(i).sum();
      // softmax_k falls with the others' share: d(-log p_k) = p - e_k, d(-log(1 - p_k)) = p_k (e_k - p_c / rest).
      if (is_source) {
        result.value -= factor * std::log(own);
        q.row(i) *= factor;
        q(i, k) = -factor * rest;
      } else {
        result.value -= factor * std::log(rest);
        q.row(i) *= -factor * own / rest;
        q(i, k) = factor * own;
      }
    }
  };
  add(p.s, result.source, true);
  add(p.t, result.target, false);
  return result;
}

} // namespace mdd
