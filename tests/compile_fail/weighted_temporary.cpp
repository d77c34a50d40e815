// expect: dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory
#include <dalib/dalib.hpp>

#include <vector>

int main() {
  const std::vector<double> w(3, 1.0);
  const auto kept = dalib::weighted(Eigen::MatrixXd(3, 2), w);
  return kept.rows.rows > 3;
}
