#include <dalib/execution/openmp.hpp>

#include <atomic>
#include <chrono>
#include <doctest/doctest.h>
#include <thread>

using namespace dalib;

#if defined(_OPENMP)
namespace {
std::atomic<int> threads_seen{0};

void run_task(int worker, int threads) {
  static thread_local const int number = ++threads_seen;
  CHECK((number > 0 && worker < threads));
  std::this_thread::sleep_for(std::chrono::milliseconds(2)); // long enough for the others to come
}
} // namespace

TEST_CASE("loops of few and of many tasks in turn run on the same threads") {
  constexpr int threads = 4;
  const exec::openmp policy{threads};
  for (int i = 0; i < 20; ++i) {
    policy.run(2, [](index_t, int worker) { run_task(worker, threads); });
    policy.run(4, [](index_t, int worker) { run_task(worker, threads); });
    policy.run(3, [](index_t, int worker) { run_task(worker, threads); });
  }
  CHECK(threads_seen.load() <= threads);
}
#endif
