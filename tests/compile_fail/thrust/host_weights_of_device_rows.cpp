// expect: dalib: weights of device tensors must be a thrust::device_vector of the rows' scalar type
#include <dalib/thrust.hpp>
#include <vector>

int main() {
  const dalib::device_matrix<float> z(3, 2);
  return dalib::weighted(z, std::vector<float>(3, 1.f)).weights != nullptr;
}
