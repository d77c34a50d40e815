// Do two samples follow the same law? A permutation test with the unbiased MMD, and what each estimator sees.
#include <dalib/dalib.hpp>
#include <io/random.hpp>

#include <iostream>
#include <vector>

using namespace dalib;

int main() {
  io::random_generator random(7);
  const Eigen::Index n = 60, features = 8;
  Eigen::MatrixXd joint(2 * n, features);
  for (Eigen::Index i = 0; i < joint.rows(); ++i)
    for (Eigen::Index f = 0; f < features; ++f) joint(i, f) = random.normal() + (i < n ? 0.0 : 0.5); // the target's mean is shifted

  const auto unbiased = mmd{kernel::gaussian{bandwidth::median{}}, estimator::unbiased{}};
  const auto linear_time = mmd{kernel::gaussian{bandwidth::median{}}, estimator::linear_time{}};
  const double observed = unbiased(joint.topRows(n), joint.bottomRows(n));

  const int permutations = 199;
  int at_least = 1; // the observed one counts, so the p-value is never 0
  for (int p = 0; p < permutations; ++p) {
    const std::vector<Eigen::Index> order = [&] {
      std::vector<Eigen::Index> rows;
      for (auto row : random.permutation(static_cast<std::size_t>(2 * n))) rows.push_back(static_cast<Eigen::Index>(row));
      return rows;
    }();
    const Eigen::MatrixXd shuffled = joint(order, Eigen::all);
    at_least += unbiased(shuffled.topRows(n), shuffled.bottomRows(n)) >= observed ? 1 : 0;
  }
  const double p_value = at_least / static_cast<double>(permutations + 1);
  std::cout << "unbiased MMD^2 " << observed << ", linear-time " << linear_time(joint.topRows(n), joint.bottomRows(n))
            << ", p = " << p_value << '\n';
  return p_value < 0.05 ? 0 : 1;
}
