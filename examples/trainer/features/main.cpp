// dalib_features
#include "program.hpp"

#include "../../autodiff/short_spinning.hpp"

int main(int argc, char** argv) {
  dalib::spin_briefly(argv);
  return dalib::features::run_command(argc, argv);
}
