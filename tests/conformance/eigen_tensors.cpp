#include "conformance/check_tensor.hpp"
#include "support/foreign.hpp"

#include <deque>
#include <doctest/doctest.h>
#include <memory>
#include <span>
#include <vector>

namespace {

template <class T, int Order>
using dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order>;

/// Storage with stable addresses for the views that a factory hands out.
template <class M>
auto pool() {
  return std::make_shared<std::deque<M>>();
}

template <class T, int Order>
conformance::report check_eigen() {
  using plain = dense<T, Order>;
  conformance::report found = conformance::check_tensor<T>([](dalib::index_t rows, dalib::index_t cols) { return plain(rows, cols); });
  found.add(conformance::check_tensor<T>([memory = pool<plain>()](dalib::index_t rows, dalib::index_t cols) {
    return memory->emplace_back(rows + 3, cols + 2).block(2, 1, rows, cols);
  }));
  found.add(conformance::check_tensor<T>(
      [memory = pool<plain>()](dalib::index_t rows, dalib::index_t cols) { return Eigen::Ref<plain>(memory->emplace_back(rows, cols)); }));
  return found;
}

} // namespace

TEST_CASE("conformance: Eigen row-major matrices, blocks with an outer stride, references") {
  auto found = check_eigen<float, Eigen::RowMajor>();
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: Eigen column-major matrices, blocks with an outer stride, references") {
  auto found = check_eigen<double, Eigen::ColMajor>();
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: Eigen maps with inner and outer strides") {
  using stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const auto found = conformance::check_tensor<float>([memory = pool<std::vector<float>>()](dalib::index_t rows, dalib::index_t cols) {
    std::vector<float>& cells = memory->emplace_back(static_cast<std::size_t>(rows * cols * 4));
    return Eigen::Map<dense<float, Eigen::ColMajor>, 0, stride>(cells.data(), rows, cols, stride(2 * rows + 3, 2));
  });
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: Eigen arrays and transposed matrices") {
  auto found = conformance::check_tensor<double>(
      [](dalib::index_t rows, dalib::index_t cols) { return Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic>(rows, cols); });
  found.add(conformance::check_tensor<double>([memory = pool<dense<double, Eigen::RowMajor>>()](dalib::index_t rows, dalib::index_t cols) {
    return memory->emplace_back(cols, rows).transpose();
  }));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: raw memory by pointer, strides and span") {
  auto found = conformance::check_tensor<float>([memory = pool<std::vector<float>>()](dalib::index_t rows, dalib::index_t cols) {
    return dalib::matrix_view<float>(std::span<float>(memory->emplace_back(static_cast<std::size_t>(rows * cols))), rows, cols);
  });
  found.add(conformance::check_tensor<float>([memory = pool<std::vector<float>>()](dalib::index_t rows, dalib::index_t cols) {
    // Backwards in both directions: strides may be negative.
    std::vector<float>& cells = memory->emplace_back(static_cast<std::size_t>(rows * cols));
    return dalib::matrix_view<float>(&cells.back(), rows, cols, -cols, -1);
  }));
  CHECK_MESSAGE(found.passed(), found.text());
}

TEST_CASE("conformance: a user's tensor type; its gap is not written") {
  const auto found = conformance::check_tensor<double>([](dalib::index_t rows, dalib::index_t cols) {
    return foreign::table<double>(static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  });
  CHECK_MESSAGE(found.passed(), found.text());

  foreign::table<double> zs(3, 2), zt(2, 2), gs(3, 2), gt(2, 2);
  for (std::size_t i = 0; i < 6; ++i) zs.at(i / 2, i % 2) = static_cast<double>(i);
  for (std::size_t i = 0; i < 4; ++i) zt.at(i / 2, i % 2) = static_cast<double>(i * i);
  dalib::mmd{}.value_and_gradient(zs, zt, dalib::gradients{gs, gt});
  CHECK(gs.at(0, 0) != gs.unused);
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t gap = 2; gap < gs.stride(); ++gap) CHECK(gs.cells()[row * gs.stride() + gap] == gs.unused);
}

TEST_CASE("conformance: the allocating form") {
  const conformance::matrix<double> rows = conformance::normal_rows<double>(6, 4, 1);
  auto found = conformance::check_allocating_form<double>(rows);
  found.add(conformance::check_allocating_form<double>(dense<double, Eigen::ColMajor>(rows)));
  found.add(conformance::check_allocating_form<double>(dalib::const_view_of(rows)));
  foreign::table<double> own(6, 4);
  for (std::size_t i = 0; i < 24; ++i) own.at(i / 4, i % 4) = rows.data()[i];
  found.add(conformance::check_allocating_form<double>(own));
  CHECK_MESSAGE(found.passed(), found.text());
}
