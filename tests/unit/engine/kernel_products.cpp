// K Z without K, beside the product with the matrix that kernel_matrix makes.
#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using engine::pair_set;

namespace {

using real_matrix = Eigen::MatrixXd;

/// The matrix of both samples' rows, in double.
template <class Kernel, class T>
real_matrix matrix_of(const Kernel& kernel, const matrix<T>& x, const matrix<T>& y) {
  real_matrix joint(x.rows() + y.rows(), x.cols()), k(joint.rows(), joint.rows());
  joint << x.template cast<double>(), y.template cast<double>();
  kernel_matrix(exec::serial{}, kernel, joint, k);
  return k;
}

template <class T>
double difference(const matrix<T>& found, const real_matrix& expected) {
  return (found.template cast<double>() - expected).norm() / expected.norm();
}

bool same(const matrix<float>& a, const matrix<float>& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

/// All three sets of pairs against the matrix.
template <class T, class Kernel>
void check_products(const Kernel& kernel, const matrix<T>& x, const matrix<T>& y, index_t columns, double bound) {
  const index_t ns = x.rows(), nt = y.rows();
  CAPTURE(ns);
  CAPTURE(nt);
  CAPTURE(columns);
  const matrix<T> z = normal_rows<T>(ns + nt, columns, 5), lower = z.bottomRows(nt), upper = z.topRows(ns);
  const real_matrix k = matrix_of(kernel, x, y), zd = z.template cast<double>();
  real_matrix distinct = k;
  distinct.diagonal().setZero();
  workspace scratch;
  const exec::openmp exec{2};
  using input = engine::layer_input<T, Kernel>;
  const engine::bound_problem problem(exec, scratch, input{{sample_of(x), sample_of(y)}, kernel, {}, {}});
  engine::layer one = std::get<0>(problem.layers());
  matrix<T> all(ns + nt, columns), across(ns, columns), back(nt, columns);
  engine::kernel_product(exec, one, pair_set::all, view_of(z), view_of(all), scratch);
  CHECK(difference(all, k * zd) < bound);
  engine::kernel_product(exec, one, pair_set::distinct, view_of(z), view_of(all), scratch);
  CHECK((all.template cast<double>() - distinct * zd).norm() < bound * (k * zd).norm());
  engine::kernel_product(exec, one, pair_set::across, view_of(lower), view_of(across), scratch);
  CHECK(difference(across, k.topRightCorner(ns, nt) * zd.bottomRows(nt)) < bound);
  std::swap(one.data.source, one.data.target);
  engine::kernel_product(exec, one, pair_set::across, view_of(upper), view_of(back), scratch);
  CHECK(difference(back, k.bottomLeftCorner(nt, ns) * zd.topRows(ns)) < bound);
}

} // namespace

TEST_CASE("K Z is the product with the kernel matrix, for sizes around blocks, registers and chunks of columns") {
  const auto kernel = kernel::gaussian_ladder(0.25, 3);
  for (const auto& [ns, nt] : {std::pair<index_t, index_t>{1, 1}, {3, 14}, {40, 25}, {130, 70}, {300, 210}})
    check_products<float>(kernel, normal_rows<float>(ns, 19, 1), normal_rows<float>(nt, 19, 2, 1.2, 0.3), ns == 40 ? 33 : 5, 2e-6);
  check_products<double>(kernel, normal_rows<double>(90, 19, 1), normal_rows<double>(50, 19, 2), 40, 1e-14);
}

TEST_CASE("K Z of kernels of several statistics") {
  const auto kernel = kernel::gaussian{} + 0.2 * kernel::linear{} + kernel::laplacian_l1{2.0} * kernel::cosine{};
  check_products<double>(kernel, normal_rows<double>(60, 9, 1), normal_rows<double>(80, 9, 2), 3, 1e-13);
  check_products<float>(kernel::laplacian_l1{2.0}, normal_rows<float>(60, 9, 1), normal_rows<float>(80, 9, 2), 3, 2e-6);
}

TEST_CASE("K Z of rows that are equal, near each other, or far from all others keeps its digits") {
  matrix<float> x = normal_rows<float>(90, 12, 1), y = normal_rows<float>(60, 12, 2);
  for (index_t i = 0; i < 90; i += 2) x.row(i) = x.row(0) * (1 + 1e-4f * static_cast<float>(i));
  x.row(3) = x.row(2);
  y.row(0) *= 1000;
  check_products<float>(kernel::energy{}, x, y, 4, 3e-6);
  check_products<float>(kernel::gaussian{bandwidth::median{}}, x, y, 4, 3e-6);
}

TEST_CASE("each term's product in one pass: the terms alone, and their sum") {
  const auto kernel = kernel::gaussian_ladder(0.125, 5) + kernel::energy{};
  const matrix<double> x = normal_rows<double>(150, 7, 1), y = normal_rows<double>(60, 7, 2), z = normal_rows<double>(210, 6, 3);
  workspace scratch;
  const exec::serial exec;
  using input = engine::layer_input<double, std::remove_const_t<decltype(kernel)>>;
  const engine::bound_problem problem(exec, scratch, input{{sample_of(x), sample_of(y)}, kernel, {}, {}});
  const auto& one = std::get<0>(problem.layers());
  std::vector<matrix<double>> found(6, matrix<double>(210, 6));
  std::vector<matrix_view<double>> out;
  for (matrix<double>& m : found) out.push_back(view_of(m));
  engine::kernel_products(exec, one, pair_set::all, view_of(z), out, scratch);
  std::size_t place = 0;
  kernel::for_each_term(one.profile, [&](const auto& term) {
    const engine::layer<double, std::remove_cvref_t<decltype(term)>> alone{one.data, one.summary, term, {}, {}};
    matrix<double> expected(210, 6);
    engine::kernel_product(exec, alone, pair_set::all, view_of(z), view_of(expected), scratch);
    CHECK((found[place] - expected).norm() < 1e-12 * expected.norm());
    ++place;
  });
  CHECK(place == 6);
}

TEST_CASE("K Z has the same bits for any number of threads and any strides") {
  const matrix<float> x = normal_rows<float>(300, 40, 1), y = normal_rows<float>(211, 40, 2), z = normal_rows<float>(511, 37, 3);
  const Eigen::MatrixXf by_columns = z;
  workspace scratch;
  const exec::serial serial;
  const engine::bound_problem problem(serial, scratch,
                                      engine::layer_input<float, kernel::gaussian<>>{{sample_of(x), sample_of(y)}, {}, {}, {}});
  const auto& one = std::get<0>(problem.layers());
  matrix<float> expected(511, 37), found(511, 37);
  Eigen::MatrixXf columns(600, 40);
  engine::kernel_product(serial, one, pair_set::all, view_of(z), view_of(expected), scratch);
  for (int threads = 1; threads <= 4; ++threads) {
    engine::kernel_product(exec::openmp{threads}, one, pair_set::all, view_of(by_columns), view_of(found), scratch);
    CHECK(same(found, expected));
  }
  auto block = columns.block(9, 2, 511, 37);
  engine::kernel_product(serial, one, pair_set::all, view_of(z), view_of(block), scratch);
  CHECK(same(block, expected));
}

TEST_CASE("wrong shapes are refused before anything is written") {
  const matrix<double> x = normal_rows<double>(6, 3, 1), y = normal_rows<double>(4, 3, 2), z = normal_rows<double>(10, 2, 3);
  workspace scratch;
  const exec::serial exec;
  const engine::bound_problem problem(
      exec, scratch,
      engine::layer_input<double, kernel::gaussian_ladder<>>{{sample_of(x), sample_of(y)}, kernel::gaussian_ladder(), {}, {}});
  const auto& one = std::get<0>(problem.layers());
  matrix<double> out = matrix<double>::Constant(10, 2, 7), narrow(10, 1);
  const std::vector<matrix_view<double>> few(2, view_of(out));
  conformance::report found;
  const auto refused = [&](const char* what, std::initializer_list<std::string> words, const auto& call) {
    conformance::detail::require_refusal(found, what, words, call);
  };
  refused("right-hand side", {"kernel_products", "4 rows", "10 x 2"},
          [&] { engine::kernel_product(exec, one, pair_set::across, view_of(z), view_of(out), scratch); });
  refused("result", {"kernel_products", "10 x 2", "10 x 1"},
          [&] { engine::kernel_product(exec, one, pair_set::all, view_of(z), view_of(narrow), scratch); });
  refused("number of results", {"kernel_products", "2 for 5"},
          [&] { engine::kernel_products(exec, one, pair_set::all, view_of(z), few, scratch); });
  CHECK_MESSAGE(found.passed(), found.text());
  CHECK((out.array() == 7).all());
}
