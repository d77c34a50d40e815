// Where there is no MPI library.
#include "run_ranks.hpp"

namespace dalib::distributed {

int run_ranks(int argc, char** argv, int (*main)(int, const char* const*)) { return main(argc, argv); }

} // namespace dalib::distributed
