// expect: dalib: a weighted sample refers to its rows and weights, so neither may be a temporary that owns its memory
#include <dalib/dalib.hpp>

#include <vector>

int main() {
  const Eigen::MatrixXd z(3, 2);
  const std::vector<double> w(3, 1.0);
  const auto kept = dalib::weighted(dalib::layers(z, Eigen::MatrixXd(3, 4)), w);
  return std::get<0>(kept).rows.rows > 3;
}
