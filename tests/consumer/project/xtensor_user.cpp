#include <xtensor/xtensor.hpp>

double sum_of_two();

double sum_of_two() {
  const xt::xtensor<double, 1> values{1.0, 2.0};
  return values(0) + values(1);
}
