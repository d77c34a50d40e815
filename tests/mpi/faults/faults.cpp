// A program whose ranks fail in the way that its argument names; fault_tests.sh looks at how it ends.
#include "conformance/samples.hpp"

#include <dalib/mpi.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace {

using namespace dalib;

/// argv: how, which rank, and for `work` a folder for the ranks' process numbers.
void run(int argc, char** argv) {
  if (argc < 3) throw std::invalid_argument("usage: faults throw|refuse|work RANK [FOLDER]");
  const std::string how = argv[1];
  const exec::mpi ranks{MPI_COMM_WORLD, exec::serial{}, 0};
  const int rank = ranks.communicator().rank();
  const bool here = rank == std::atoi(argv[2]);
  const auto zs = conformance::normal_rows<float>(rank == 0 ? 0 : 400, 16, 1), zt = conformance::normal_rows<float>(300, 16, 2);
  const mmd<> loss;
  loss(ranks, zs, zt); // one rank has no source rows
  if (how == "throw" && here) throw std::runtime_error("the file of faults is missing");
  if (how == "memory" && here) throw std::bad_alloc();
  if (how == "refuse") mmd{kernel::gaussian{here ? 1.0 : 2.0}}(ranks, zs, zt);
  if (how == "work") {
    std::ofstream(std::string(argv[3]) + "/" + std::to_string(rank)) << getpid() << std::endl;
    for (;;) loss(ranks, zs, zt);
  }
  if (how == "none") return;
  loss(ranks, zs, zt); // the others wait here
}

} // namespace

int main(int argc, char** argv) {
  return dalib::mpi_session::run(argc, argv, [&] { run(argc, argv); });
}
