// doctest on every rank of an MPI program: all run the same cases, and one that fails on any rank fails.
#define DOCTEST_CONFIG_IMPLEMENT
#include <dalib/mpi.hpp>

#include <doctest/doctest.h>

int main(int argc, char** argv) {
  dalib::mpi_session session(argc, argv);
  doctest::Context context(argc, argv);
  int failed = context.run(), any = 0;
  MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  return any;
}
