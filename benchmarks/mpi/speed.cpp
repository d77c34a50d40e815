// Ranks against threads in one run: the MMD of n + n rows by shared memory and by exec::mpi, turn by turn.
//   mpirun -np 2 --bind-to none build/bin/mpi_speed 4096 256 5        n of each domain, features, turns
//   mpirun -np 4 --bind-to none build/bin/mpi_speed 4096 256 memory   one call over all ranks: memory and bytes sent of each
#include <dalib/mpi.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace {

using namespace dalib;
using rows_type = Eigen::Matrix<float, -1, -1, Eigen::RowMajor>;

/// Others sleep: a rank that waits in MPI takes a core.
void meet() {
  MPI_Request request;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  for (int done = 0; done == 0; MPI_Test(&request, &done, MPI_STATUS_IGNORE)) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct way {
  const char* name;
  bool all_ranks;
  std::function<void()> work;
  std::vector<double> seconds{};

  double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
};

double memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void run(int argc, char** argv) {
  const index_t n = argc > 1 ? std::atol(argv[1]) : 4096, features = argc > 2 ? std::atol(argv[2]) : 256;
  const std::string turns = argc > 3 ? argv[3] : "5";
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const auto share = [&](unsigned seed, index_t first, index_t last) {
    std::srand(seed);
    rows_type rows(last - first, features);
    for (index_t i = 0; i < last; ++i) { // the same rows for any number of ranks, none kept that is another's
      const Eigen::RowVectorXf row = Eigen::RowVectorXf::Random(features);
      if (i >= first) rows.row(i - first) = row;
    }
    return rows;
  };
  const rows_type own_s = share(1, n * rank / size, n * (rank + 1) / size), own_t = share(2, n * rank / size, n * (rank + 1) / size);
  const mmd loss{kernel::gaussian_ladder(0.125, 5), estimator::biased{}};
  const exec::mpi world{MPI_COMM_WORLD, exec::openmp{1}};
  workspace scratch;
  rows_type gs = own_s, gt = own_t;
  if (turns == "memory") {
    const double before = memory();
    loss.value_and_gradient(world, own_s, own_t, gradients{gs, gt}, scratch);
    for (int r = 0; r < size; ++r, meet())
      if (r == rank)
        std::printf("rank %d of %d: %.0f MiB, %.0f before the call, %.2f MB sent\n", rank, size, memory(), before,
                    static_cast<double>(world.communicator().sent()) * 1e-6);
    return;
  }
  const rows_type zs = share(1, 0, n), zt = share(2, 0, n);
  rows_type all_s = zs, all_t = zt;
  const exec::mpi one{MPI_COMM_SELF, exec::openmp{1}}, two{MPI_COMM_SELF, exec::openmp{2}};
  const auto alone = [&](const auto& exec) { return [&] { loss.value_and_gradient(exec, zs, zt, gradients{all_s, all_t}, scratch); }; };
  const exec::openmp one_thread{1}, two_threads{2};
  std::vector<way> ways{{"shared memory, 1 thread", false, alone(one_thread)},
                        {"exec::mpi, 1 rank, 1 thread", false, alone(one)},
                        {"shared memory, 2 threads", false, alone(two_threads)},
                        {"exec::mpi, 1 rank, 2 threads", false, alone(two)},
                        {"exec::mpi, all ranks, 1 thread", true, [&] {
                           loss.value_and_gradient(world, own_s, own_t, gradients{gs, gt}, scratch);
                         }}};
  for (int turn = 0; turn < std::atoi(turns.c_str()); ++turn)
    for (way& one_way : ways) {
      meet();
      if (rank == 0 || one_way.all_ranks) one_way.seconds.push_back(seconds_of(one_way.work));
    }
  meet();
  if (rank != 0) return;
  std::printf("n = %ld + %ld, F = %ld, %d ranks, best of %s turns\n", static_cast<long>(n), static_cast<long>(n),
              static_cast<long>(features), size, turns.c_str());
  for (const way& one_way : ways) std::printf("%-32s %8.4f s\n", one_way.name, one_way.best());
  std::printf("one rank over shared memory: %.3f with 1 thread, %.3f with 2; ranks' speed over threads': %.3f\n",
              ways[1].best() / ways[0].best(), ways[3].best() / ways[2].best(), ways[3].best() / ways[4].best());
}

} // namespace

int main(int argc, char** argv) {
  return dalib::mpi_session::run(argc, argv, [&] { run(argc, argv); });
}
