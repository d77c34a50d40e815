// dalib_train
#include "program.hpp"

#include "../../autodiff/short_spinning.hpp"
#include "../distributed/run_ranks.hpp"

int main(int argc, char** argv) {
  dalib::spin_briefly(argv);
  return dalib::distributed::run_ranks(argc, argv, dalib::train::run_command);
}
