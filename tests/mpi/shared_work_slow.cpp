// What is computed of gathered rows with the work shared: kernel matrices, permutation tests, the Sinkhorn divergence.
#include "conformance/samples.hpp"
#include "mpi/dealt.hpp"

#include <dalib/inference/linear_time_test.hpp>
#include <dalib/inference/mpi.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using dealt::dealing;

namespace {
template <class T>
matrix<T> share_of(const matrix<T>& rows, dealing how) {
  const auto [first, count] = dealt::share(rows.rows(), how);
  return rows.middleRows(first, count);
}
} // namespace

TEST_CASE_TEMPLATE("each rank gets its rows of a kernel matrix, with the bits of one machine", T, float, double) {
  const matrix<T> x = normal_rows<T>(301, 9, 1), y = normal_rows<T>(130, 9, 2, 1.2, 0.4);
  const auto kernel = kernel::gaussian{bandwidth::median{}} + 0.5 * kernel::laplacian_l1{2.0};
  matrix<T> one(301, 301), two(301, 130);
  kernel_matrix(exec::serial{}, kernel, x, one);
  kernel_matrix(exec::serial{}, kernel, x, y, two);
  for (const dealing how : {dealing::first, dealing::even, dealing::growing}) {
    const matrix<T> own = share_of(x, how), others = share_of(y, how);
    matrix<T> k(own.rows(), 301), across(own.rows(), 130);
    kernel_matrix(dealt::world(), kernel, own, k);
    kernel_matrix(dealt::world(), kernel, own, others, across);
    CHECK(k == share_of(one, how));
    CHECK(across == share_of(two, how));
  }
  const int culprit = dealt::world_size() - 1;
  const matrix<T> own = share_of(x, dealing::even);
  matrix<T> wrong(own.rows(), dealt::world_rank() == culprit ? 300 : 301);
  bool refused = false;
  try {
    kernel_matrix(dealt::world(), kernel, own, wrong);
  } catch (const refused_by_rank& error) {
    refused = error.rank == culprit && std::string(error.what()).find("kernel_matrix: the result must have") != std::string::npos;
  }
  CHECK(refused);
}

TEST_CASE("permutation tests share their pairs: the same bits for any number of ranks, the numbers of one machine up to rounding") {
  const matrix<double> zs = normal_rows<double>(300, 5, 1), zt = normal_rows<double>(211, 5, 2, 1.1, 0.1);
  const inference::test_options options{.alpha = 0.1, .draws = 99, .seed = 3, .keep_null = true};
  const exec::mpi<exec::serial> alone{MPI_COMM_SELF};
  const auto check = [&](const auto& test) {
    const inference::test_result shared = test(zs, zt, options), one = test(alone, zs, zt, options);
    CHECK(std::abs(one.statistic - shared.statistic) <= 1e-12 * std::abs(shared.statistic));
    CHECK(one.p_value == shared.p_value);
    for (std::size_t b = 0; b < 99; ++b) CHECK(std::abs(one.null_sample[b] - shared.null_sample[b]) <= 1e-12 * std::abs(shared.statistic));
    for (const dealing how : {dealing::first, dealing::even, dealing::growing}) {
      const inference::test_result found = test(dealt::world(), share_of(zs, how), share_of(zt, how), options);
      CHECK(dealt::same_bits(found.statistic, one.statistic));
      CHECK(dealt::same_bits(found.null_sample, one.null_sample));
      CHECK(found.reject == one.reject);
    }
  };
  check(inference::permutation_test{kernel::gaussian{bandwidth::median{}}, estimator::unbiased{}});
  check(inference::energy_test{});
  // A test that shares nothing is done whole by every rank.
  const inference::linear_time_test linear{kernel::gaussian{1.0}};
  const matrix<double> paired = zs.topRows(211);
  CHECK(dealt::same_bits(linear(dealt::world(), share_of(paired, dealing::even), share_of(zt, dealing::even)).statistic,
                         linear(paired, zt).statistic));
  // The identity is an exact tie.
  std::vector<std::int64_t> identity(511);
  for (std::int64_t i = 0; i < 511; ++i) identity[static_cast<std::size_t>(i)] = i;
  inference::test_options given = options;
  given.given.permutations = {identity.data(), 1, 511};
  const auto tie =
      inference::permutation_test{kernel::gaussian{1.0}}(dealt::world(), share_of(zs, dealing::even), share_of(zt, dealing::even), given);
  CHECK(tie.null_sample[0] == tie.statistic);
}

TEST_CASE("tests over ranks: other options or kernels on one rank are named") {
  const int culprit = dealt::world_size() - 1;
  if (culprit == 0) return;
  const bool here = dealt::world_rank() == culprit;
  const matrix<double> zs = normal_rows<double>(20, 3, 1), zt = normal_rows<double>(15, 3, 2);
  const auto message = [&](const auto& test, const inference::test_options& options) -> std::string {
    try {
      test(dealt::world(), zs, zt, options);
    } catch (const refused_by_rank& error) {
      return error.what();
    }
    return "";
  };
  const std::string named = "rank " + std::to_string(culprit) + ": permutation_test: ";
  CHECK(message(inference::permutation_test{kernel::gaussian{1.0}}, {.draws = here ? 9 : 19}) ==
        named + "the test's options differ from those of rank 0");
  CHECK(message(inference::permutation_test{kernel::gaussian{here ? 1.0 : 1.5}}, {.draws = 19}) ==
        named + "the test's parameters differ from those of rank 0");
}

TEST_CASE("the Sinkhorn divergence shares its sweeps: the same bits for any number of ranks, the numbers of one machine") {
  const exec::mpi<exec::openmp> alone{MPI_COMM_SELF, exec::openmp{1}, 0};
  for (const index_t rows : {index_t{61}, index_t{1040}}) { // costs kept, and made anew in a few sweeps
    const matrix<double> zs = normal_rows<double>(rows, 2, 1), zt = normal_rows<double>(rows - 10, 2, 2, 1.2, 0.4);
    const bool few = rows == 61;
    const sinkhorn_divergence loss{
        {.power = few ? 1 : 2, .blur = 0.7, .debias = few, .scaling = few ? 0.5 : 0.1, .iterations = few ? 10000 : 3}};
    matrix<double> a = zs, b = zt, c = zs, d = zt, e = zs, f = zt;
    const double shared = loss.value_and_gradient(zs, zt, gradients{a, b}), one = loss.value_and_gradient(alone, zs, zt, gradients{c, d});
    CHECK(std::abs(shared - one) < 1e-8);
    CHECK((a - c).norm() + (b - d).norm() < 1e-7 * a.norm());
    const double value = dealt::over_world(loss).value_and_gradient(zs, zt, gradients{e, f});
    CHECK(dealt::same_bits(value, one));
    CHECK(c == e);
    CHECK(d == f);
  }
}
