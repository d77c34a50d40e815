#include <dalib/xtensor.hpp>

double xtensor_mmd();

double xtensor_mmd() {
  const xt::xarray<double> source{{0.0, 1.0}, {1.0, 0.5}, {2.0, -1.0}};
  const xt::xarray<double> target{{3.0, 1.0}, {4.0, 0.5}};
  return dalib::mmd{dalib::kernel::linear{}, dalib::estimator::unbiased{}}(source, target);
}
