// expect: dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory
#include <dalib/dalib.hpp>

#include <vector>

int main() {
  const Eigen::MatrixXd z(3, 2);
  const auto kept = dalib::weighted(z, std::vector<double>(3, 1.0));
  return kept.rows.rows > 3;
}
