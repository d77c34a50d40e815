// The same bits for any number of threads and for tasks run backwards, on few and on many rows.
#include "conformance/check_execution.hpp"
#include "support/foreign.hpp"

#include <doctest/doctest.h>
#include <utility>

using namespace dalib;
using conformance::normal_rows;

namespace {

/// Runs of `measure` with every policy have the bits of the serial run.
template <class T, class Measure>
void check_policies(const Measure& measure, dalib::index_t n, dalib::index_t m, dalib::index_t features) {
  const auto zs = normal_rows<T>(n, features, 1), zt = normal_rows<T>(m, features, 2, 1.2, 0.3);
  const auto check = [&](const auto& exec, const char* who) {
    const auto found = conformance::check_same_bits(exec, measure, zs, zt, who);
    CHECK_MESSAGE(found.passed(), found.text());
  };
#if defined(_OPENMP)
  for (const int threads : {1, 2, 3, 8}) check(exec::openmp{threads}, "openmp");
#endif
  check(foreign::reversed_threads{3}, "reversed");
}

} // namespace

TEST_CASE("full pairs: one row, both sides of 256 joint rows, odd and even numbers of blocks, n_s != n_t") {
  const std::pair<int, int> sizes[] = {{1, 1}, {1, 30}, {65, 64}, {128, 128}, {129, 128}, {200, 100}, {1, 299}, {900, 700}};
  const mmd measure{kernel::gaussian_ladder{}, estimator::biased{}};
  for (const auto& size : sizes) check_policies<float>(measure, size.first, size.second, 7);
}

TEST_CASE("full pairs of a kernel of several statistics, in double") {
  const mmd measure{kernel::gaussian{} * kernel::cosine{} + kernel::laplacian_l1{3} + kernel::linear{}, estimator::unbiased{}};
  check_policies<double>(measure, 40, 31, 17);
  check_policies<double>(measure, 150, 131, 17);
}

TEST_CASE("linear time and ring over several tasks, even and odd") {
  check_policies<float>(mmd{kernel::gaussian{}, estimator::linear_time{}}, 1000, 900, 5);
  check_policies<float>(mmd{kernel::gaussian{}, compat::ring{}}, 300, 300, 5);
  check_policies<float>(mmd{kernel::gaussian{}, compat::ring{}}, 301, 301, 5);
}

TEST_CASE("row-wise losses over several tasks") {
  check_policies<float>(domain_adversarial<>{}, 1000, 333, 1);
  check_policies<double>(domain_adversarial<reduction::sum>{}, 100, 29, 1);
}

#if defined(_OPENMP)
TEST_CASE("a call inside another parallel region gives the same bits") {
  const auto zs = normal_rows<float>(150, 6, 1), zt = normal_rows<float>(150, 6, 2);
  const mmd<> measure;
  const float expected = measure(exec::serial{}, zs, zt);
  float values[4] = {};
#  pragma omp parallel for num_threads(2)
  for (int i = 0; i < 4; ++i) values[i] = measure(zs, zt);
  for (const float value : values) CHECK(value == expected);
}
#endif
