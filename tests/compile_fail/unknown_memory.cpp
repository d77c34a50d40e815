// expect: dalib: no machine works on tensors in this memory. Include its header (dalib/thrust.hpp ...), or specialise dalib::backend
#include <dalib/dalib.hpp>

struct my_memory {};

int main() {
  const dalib::matrix_view<const float, my_memory> z;
  return dalib::mmd{}(z, z) > 0;
}
