// Row losses whose rows stay where they are: only sums travel, and no dealing of rows, rank or thread changes a bit.
#include "conformance/samples.hpp"
#include "mpi/dealt.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using dealt::over_world;

namespace {

/// Over the world, dealt in every way, against shared memory, and bit for bit against a single rank that sums too.
template <class T, class Measure, class... Inputs>
void check(const Measure& measure, double bound, const std::array<index_t, 2>& differentiable, const Inputs&... inputs) {
  const std::array<matrix<T>, sizeof...(Inputs)> in{matrix<T>(inputs)...};
  const exec::mpi<exec::serial> alone{MPI_COMM_SELF, exec::serial{}, 0};
  const auto run = [&](const auto& which, const auto& exec, matrix<T>& a, matrix<T>& b) {
    a.setConstant(in[static_cast<std::size_t>(differentiable[0])].rows(), in[static_cast<std::size_t>(differentiable[0])].cols(), T(1));
    b.setConstant(in[static_cast<std::size_t>(differentiable[1])].rows(), in[static_cast<std::size_t>(differentiable[1])].cols(), T(1));
    return which.value_and_gradient(exec, matrix<T>(inputs)..., gradients{a, b, T(0.5), write_mode::accumulate});
  };
  matrix<T> a, b, shared_a, shared_b, alone_a, alone_b;
  const T value = run(over_world(measure), exec::serial{}, a, b), shared = run(measure, exec::serial{}, shared_a, shared_b),
          own = run(measure, alone, alone_a, alone_b);
  CHECK(std::abs(static_cast<double>(value - shared)) <= bound * std::abs(static_cast<double>(shared)));
  CHECK((a - shared_a).norm() <= bound * shared_a.norm());
  CHECK((b - shared_b).norm() <= bound * shared_b.norm());
  CHECK((shared_a.array() - 1).matrix().norm() > 0);
  CHECK(dealt::same_bits(value, own));
  CHECK(a == alone_a);
  CHECK(b == alone_b);
  CHECK(dealt::same_bits(value, over_world(measure)(matrix<T>(inputs)...)));
}

template <class T, class Scores>
void check_balance(const Scores& scores, const matrix<T>& rows, double bound) {
  const class_balance balance{scores};
  matrix<T> own(rows.rows(), rows.cols()), shared = own;
  const T value = over_world(balance).value_and_gradient(rows, gradient{own}),
          expected = balance.value_and_gradient(rows, gradient{shared});
  CHECK(std::abs(static_cast<double>(value - expected)) <= bound * std::abs(static_cast<double>(expected)));
  CHECK((own - shared).norm() <= bound * shared.norm());
  CHECK(shared.norm() > 0);
}

/// A program that averages its parameters' gradients over the ranks, as data-parallel trainers do: rows x W, the measure of them.
template <class Loss>
double error_of_average(index_t columns, const Loss& loss) {
  const int size = dealt::world_size();
  const matrix<double> xs = normal_rows<double>(64, 6, 1), xt = normal_rows<double>(48, 6, 2, 1.2, 0.4),
                       w = normal_rows<double>(6, columns, 3);
  const auto parameter_gradient = [&](const auto& exec, const matrix<double>& s, const matrix<double>& t, double scale) {
    const matrix<double> zs = s * w, zt = t * w;
    matrix<double> gs(zs.rows(), zs.cols()), gt(zt.rows(), zt.cols());
    loss(exec, zs, zt, gradients{gs, gt, scale});
    return matrix<double>(s.transpose() * gs + t.transpose() * gt);
  };
  const auto [first_s, rows_s] = dealt::share(64, dealt::dealing::even);
  const auto [first_t, rows_t] = dealt::share(48, dealt::dealing::even);
  const matrix<double> own =
      parameter_gradient(dealt::world(), xs.middleRows(first_s, rows_s), xt.middleRows(first_t, rows_t), static_cast<double>(size));
  matrix<double> average(own.rows(), own.cols());
  MPI_Allreduce(own.data(), average.data(), static_cast<int>(own.size()), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  average /= size;
  const matrix<double> expected = parameter_gradient(exec::serial{}, xs, xt, 1);
  return (average - expected).norm() / expected.norm();
}

} // namespace

TEST_CASE("exact sums: no order changes them, nothing is lost, and NaN and infinity come through") {
  std::vector<double> numbers;
  for (int i = 0; i < 2000; ++i) numbers.push_back(std::ldexp(std::sin(i + 1.0), (i * 37) % 2000 - 1000));
  for (int i = 0; i < 2000; ++i) numbers.push_back(-numbers[static_cast<std::size_t>((i * 7) % 2000)]); // all cancel
  numbers.push_back(0x1p-1074);
  const auto sum = [](const std::vector<double>& of) {
    engine::exact_sums one(1), other(1);
    for (std::size_t i = 0; i < of.size(); ++i) (i % 3 == 0 ? one : other).add(0, of[i]);
    one.add(other);
    return one.value(0);
  };
  CHECK(sum(numbers) == 0x1p-1074);
  std::reverse(numbers.begin(), numbers.end());
  CHECK(sum(numbers) == 0x1p-1074);
  CHECK(sum({1, -0x1p-60, -1}) == -0x1p-60);
  CHECK(sum({-3, 1e308, -1e308, 1e308, -1e308}) == -3);
  CHECK(sum({}) == 0);
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(sum({1, infinity, 2}) == infinity);
  CHECK(sum({1, -infinity, 2}) == -infinity);
  CHECK(std::isnan(sum({infinity, -infinity})));
  CHECK(std::isnan(sum({1, std::nan("")})));
}

TEST_CASE_TEMPLATE("row losses by sums are those of one machine, with the same bits however rows are dealt", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 2e-6 : 1e-14;
  const matrix<T> y_s = normal_rows<T>(203, 7, 1), a_s = normal_rows<T>(203, 7, 2), y_t = normal_rows<T>(150, 7, 3, 1.2, 0.4),
                  a_t = normal_rows<T>(150, 7, 4), l_s = normal_rows<T>(203, 1, 5), l_t = normal_rows<T>(150, 1, 6);
  check<T>(domain_adversarial<>{}, bound, {0, 1}, l_s, l_t);
  check<T>(margin_disparity{3.0, reduction::sum{}}, bound, {1, 3}, y_s, a_s, y_t, a_t);
  check<T>(classifier_discrepancy{}, bound, {0, 1}, y_s, a_s);
  check<T>(conditional_domain_adversarial{conditioning::per_domain_entropy{}}, bound, {0, 1}, l_s, l_t, y_s, y_t);
  check_balance<T>(scores::logits{}, y_s, bound);
}

TEST_CASE("CDAN's gradient through the entropy, a measure's parameters on one rank, a gradient over an input, no rows anywhere") {
  const matrix<double> l_s = normal_rows<double>(40, 1, 5), l_t = normal_rows<double>(30, 1, 6), g_s = normal_rows<double>(40, 5, 1),
                       g_t = normal_rows<double>(30, 5, 2);
  conditional_domain_adversarial cdan{conditioning::per_domain_entropy{}};
  cdan.entropy_reversal = 0.7;
  matrix<double> a = l_s, b = l_t, c = g_s, d = g_t, e = l_s, f = l_t, g = g_s, h = g_t;
  cdan.value_and_gradient(l_s, l_t, g_s, g_t, gradients{a, b}, gradients{c, d, 2.0});
  over_world(cdan).value_and_gradient(l_s, l_t, g_s, g_t, gradients{e, f}, gradients{g, h, 2.0});
  CHECK((a - e).norm() + (b - f).norm() <= 1e-14 * a.norm());
  CHECK((c - g).norm() + (d - h).norm() <= 1e-14 * c.norm());
  CHECK(c.norm() > 0);

  const int culprit = dealt::world_size() - 1;
  const auto refused_with = [&](const std::string& words, int rank, const auto& call) {
    bool found = false;
    try {
      call();
    } catch (const refused_by_rank& error) {
      found = error.rank == rank && std::string(error.what()).find(words) != std::string::npos;
      CAPTURE(error.what());
      CHECK(found);
    }
    CHECK(found);
  };
  const bool here = dealt::world_rank() == culprit;
  if (culprit > 0)
    refused_with("margin_disparity: the measure's parameters differ", culprit,
                 [&] { margin_disparity{here ? 3.0 : 4.0}(dealt::world(), g_s, g_s, g_t, g_t); });
  refused_with("margin must be positive", 0, [&] { margin_disparity{-1.0}(dealt::world(), g_s, g_s, g_t, g_t); });
  const matrix<double> shorter = g_s.topRows(39);
  refused_with("as many rows", culprit, [&] { classifier_discrepancy{}(dealt::world(), g_s, here ? shorter : g_s); });
  matrix<double> both = g_s, one = g_s, other = g_s;
  refused_with("share memory", culprit, [&] {
    classifier_discrepancy{}.value_and_gradient(dealt::world(), here ? both : one, g_s, gradients{here ? both : other, c});
  });
  CHECK(both == g_s);
  const matrix<double> none(0, 5);
  CHECK_THROWS_AS(class_balance{}(dealt::world(), none), std::invalid_argument);
  matrix<double> with_nan = g_s;
  if (here) with_nan(3, 2) = std::nan("");
  CHECK(std::isnan(class_balance{}(dealt::world(), with_nan)));
}

TEST_CASE("with the scale P, averaging parameter gradients over the ranks gives the gradient of the loss of all rows") {
  const double bound = 1e-15;
  const exec::mpi<exec::serial> gathering{MPI_COMM_WORLD, exec::serial{}, 1000};
  const mmd<> pairs;
  CHECK(error_of_average(4, [&](const auto& exec, const auto&... all) {
          if constexpr (requires { exec.communicator(); })
            pairs.value_and_gradient(gathering, all...); // features gathered, as for small batches
          else
            pairs.value_and_gradient(exec, all...);
        }) <= bound);
  CHECK(error_of_average(1, [&](const auto&... all) { domain_adversarial<>{}.value_and_gradient(all...); }) <= bound);
  CHECK(error_of_average(4, [&](const auto&... all) { pairs.value_and_gradient(all...); }) <= 1e-14); // pairs shared: other blocks
}
