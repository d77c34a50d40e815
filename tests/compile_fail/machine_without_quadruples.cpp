// expect: dalib: dalib::backend of this memory does not offer `sum_of_quadruples`, or with other arguments
#include "support/third_machine.hpp"

template <>
struct dalib::backend<third::memory> : third::machine {
  static void sum_of_quadruples(); // hides the machine's
};

int main() {
  const dalib::matrix_view<const float, third::memory> z;
  return dalib::mmd{}(z, z) > 0;
}
