#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

/// Learning rates as functions of the update i = 0, 1, 2, ...: `optimiser.learning_rate = rate(i)`. A run that is resumed needs to know i alone.
namespace dalib::nn {

/// Half a cosine from `initial` down to `last` in `period` updates (Loshchilov & Hutter 2017, eq. 5, without restarts).
struct cosine_rate {
  double initial = 0.1, last = 0;
  std::int64_t period = 1;

  double operator()(std::int64_t i) const {
    return last + (initial - last) * (1 + std::cos(std::numbers::pi * static_cast<double>(i) / static_cast<double>(period))) / 2;
  }
};

/// Times `factor` after each `period` updates.
struct step_rate {
  double initial = 0.1, factor = 0.1;
  std::int64_t period = 1;

  double operator()(std::int64_t i) const { return initial * std::pow(factor, static_cast<double>(i / period)); }
};

/// Times `factor` from each milestone on; milestones ascend.
struct milestone_rate {
  double initial = 0.1, factor = 0.1;
  std::vector<std::int64_t> milestones;

  double operator()(std::int64_t i) const {
    const auto passed = std::upper_bound(milestones.begin(), milestones.end(), i) - milestones.begin();
    return initial * std::pow(factor, static_cast<double>(passed));
  }
};

/// Times `factor` after every update.
struct exponential_rate {
  double initial = 0.1, factor = 0.99;

  double operator()(std::int64_t i) const { return initial * std::pow(factor, static_cast<double>(i)); }
};

/// Up to `initial` in equal steps, the first of them at once, then half a cosine down to 0 at `total`.
struct warm_up_cosine_rate {
  double initial = 0.1;
  std::int64_t warm_up = 1, total = 2;

  double operator()(std::int64_t i) const {
    if (i < warm_up) return initial * static_cast<double>(i + 1) / static_cast<double>(warm_up);
    return cosine_rate{initial, 0, total - warm_up}(i - warm_up);
  }
};

} // namespace dalib::nn
