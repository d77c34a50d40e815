#pragma once

namespace dalib::distributed {

/// main(argc, argv) with ranks::all() set, and its exit code. Where an MPI library was found and the program was started by mpirun or srun,
/// these are the ranks of that job; otherwise the program trains alone and MPI is not touched.
int run_ranks(int argc, char** argv, int (*main)(int, const char* const*));

} // namespace dalib::distributed
