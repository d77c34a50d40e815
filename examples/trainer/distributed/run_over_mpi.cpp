// The only file of the trainer that calls MPI.
#include "../../distributed/ranks.hpp"
#include "run_ranks.hpp"

#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mpi.h>
#include <numeric>
#include <thread>
#include <tuple>

namespace dalib::distributed {
namespace {

constexpr std::size_t most_bytes = INT_MAX; // MPI counts by int

class mpi_transfer final : public transfer {
public:
  bool arrived() override {
    int done = 0;
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    return done != 0;
  }
  void wait() override { MPI_Wait(&request, MPI_STATUS_IGNORE); }

  std::vector<int> counts, places, own_counts, own_places; // which MPI reads until the messages have arrived
  MPI_Request request = MPI_REQUEST_NULL;
};

class mpi_ranks final : public ranks {
public:
  mpi_ranks() {
    MPI_Comm_dup(MPI_COMM_WORLD, &work_);
    MPI_Comm_dup(MPI_COMM_WORLD, &deals_);
    MPI_Comm_dup(MPI_COMM_WORLD, &gathers_);
    MPI_Comm_dup(MPI_COMM_WORLD, &failures_);
    MPI_Comm_rank(work_, &rank_);
    MPI_Comm_size(work_, &size_);
  }

  void gather(const void* own, void* all, std::span<const std::size_t> bytes) const override {
    if (std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}) > most_bytes) {
      gather_one_by_one(own, static_cast<char*>(all), bytes);
      return;
    }
    const auto [counts, places] = counts_and_places(bytes);
    MPI_Allgatherv(own, counts[static_cast<std::size_t>(rank_)], MPI_BYTE, all, counts.data(), places.data(), MPI_BYTE, work_);
  }

  void deal(const void* own, std::span<const std::size_t> bytes, void* mine) const override {
    const auto [counts, places] = counts_and_places(bytes);
    const std::vector<std::size_t> own_bytes(bytes.size(), bytes[static_cast<std::size_t>(rank_)]);
    const auto [own_counts, own_places] = counts_and_places(own_bytes);
    MPI_Alltoallv(own, counts.data(), places.data(), MPI_BYTE, mine, own_counts.data(), own_places.data(), MPI_BYTE, work_);
  }

  std::unique_ptr<transfer> start_deal(const void* own, std::span<const std::size_t> bytes, void* mine) const override {
    auto t = std::make_unique<mpi_transfer>();
    const auto self = static_cast<std::size_t>(rank_);
    std::tie(t->counts, t->places) = counts_and_places(bytes);
    std::tie(t->own_counts, t->own_places) = counts_and_places(std::vector<std::size_t>(bytes.size(), bytes[self]));
    t->counts[self] = t->own_counts[self] = 0; // stays where it is
    MPI_Ialltoallv(own, t->counts.data(), t->places.data(), MPI_BYTE, mine, t->own_counts.data(), t->own_places.data(), MPI_BYTE, deals_,
                   &t->request);
    return t;
  }

  std::unique_ptr<transfer> start_gather(void* all, std::span<const std::size_t> bytes) const override {
    auto t = std::make_unique<mpi_transfer>();
    std::tie(t->counts, t->places) = counts_and_places(bytes);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, all, t->counts.data(), t->places.data(), MPI_BYTE, gathers_, &t->request);
    return t;
  }

  void broadcast(void* bytes, std::size_t count) const override { broadcast_from(0, static_cast<char*>(bytes), count); }

  // Ranks that fail together meet at a barrier. Who fails alone has waited in vain and speaks; the lowest of several first.
  bool all_fail() const override {
    MPI_Request request;
    MPI_Ibarrier(failures_, &request);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1000 + 200 * rank_);
    int done = 0;
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE), done == 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return done != 0;
  }
  void abort(int code) const override { MPI_Abort(MPI_COMM_WORLD, code); }

private:
  static std::pair<std::vector<int>, std::vector<int>> counts_and_places(std::span<const std::size_t> bytes) {
    std::vector<int> counts, places;
    std::size_t place = 0;
    for (const std::size_t count : bytes) {
      counts.push_back(static_cast<int>(count));
      places.push_back(static_cast<int>(place));
      place += count;
    }
    return {counts, places};
  }

  void broadcast_from(int root, char* bytes, std::size_t count) const {
    for (std::size_t done = 0; done < count; done += most_bytes)
      MPI_Bcast(bytes + done, static_cast<int>(std::min(most_bytes, count - done)), MPI_BYTE, root, work_);
  }
  void gather_one_by_one(const void* own, char* all, std::span<const std::size_t> bytes) const {
    for (int r = 0; r < size_; ++r) {
      const std::size_t count = bytes[static_cast<std::size_t>(r)];
      if (r == rank_) std::memcpy(all, own, count);
      broadcast_from(r, all, count);
      all += count;
    }
  }

  // MPI matches collective calls by their order, which is not the same on all ranks for calls of different kinds: a communicator for each.
  MPI_Comm work_ = MPI_COMM_NULL, deals_ = MPI_COMM_NULL, gathers_ = MPI_COMM_NULL, failures_ = MPI_COMM_NULL;
};

/// Whether mpirun or srun started this process: without them MPI_Init costs time, and fails where a single process may not start others.
bool started_by_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_SIZE"})
    if (std::getenv(name) != nullptr) return true;
  const char* const tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  return tasks != nullptr && std::atoi(tasks) > 1;
}

} // namespace

int run_ranks(int argc, char** argv, int (*main)(int, const char* const*)) {
  if (!started_by_launcher()) return main(argc, argv);
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  if (level < MPI_THREAD_FUNNELED) {
    std::fputs("this MPI library has no MPI_THREAD_FUNNELED, which a program with threads needs\n", stderr);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  int code = 0;
  {
    mpi_ranks these;
    const ranks::scope here(these);
    if (!these.first()) std::cout.rdbuf(nullptr); // one rank talks
    code = main(argc, argv);
  }
  MPI_Finalize();
  return code;
}

} // namespace dalib::distributed
