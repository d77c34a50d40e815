#include "all_headers.hpp"
#include "shared.hpp"

#include <cstdio>

double second_value();

int main() {
  const double first = shared_value();
  const double second = second_value();
  std::printf("first %.17g, second %.17g\n", first, second);
  return first == second ? 0 : 1;
}
