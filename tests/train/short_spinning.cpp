// Prints its process number, the settings of idle threads and its arguments, after the first line of every program of dalib.
#include "autodiff/short_spinning.hpp"

#include <cstdlib>
#include <iostream>
#include <unistd.h>

int main(int argc, char** argv) {
  dalib::spin_briefly(argv);
  const auto setting = [](const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "unset" : value;
  };
  std::cout << getpid() << ' ' << setting("GOMP_SPINCOUNT") << ' ' << setting("OMP_WAIT_POLICY");
  for (int i = 0; i < argc; ++i) std::cout << " [" << argv[i] << ']';
  std::cout << std::endl;
}
