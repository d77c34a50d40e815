// expect: dalib: this execution policy does not work on the memory that the tensors are in
#include <dalib/thrust.hpp>

int main() {
  const dalib::device_matrix<float> z(3, 2);
  return dalib::mmd{}(dalib::exec::serial{}, z, z) > 0;
}
