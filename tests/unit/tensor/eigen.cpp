#include <dalib/dalib.hpp>

#include <doctest/doctest.h>
#include <type_traits>

using namespace dalib;

static_assert(matrix_traits<Eigen::MatrixXf>::owning && matrix_traits<Eigen::ArrayXXd>::owning);
static_assert(!matrix_traits<Eigen::Map<Eigen::MatrixXf>>::owning && !matrix_traits<Eigen::Ref<Eigen::MatrixXf>>::owning);
static_assert(!matrix_like<decltype(Eigen::MatrixXd() + Eigen::MatrixXd())>, "an expression has no memory");
static_assert(!matrix_like<decltype(Eigen::MatrixXd::Zero(2, 2))>);
static_assert(matrix_like<decltype(std::declval<Eigen::MatrixXd&>().transpose())>);
static_assert(std::is_same_v<view_type<Eigen::Map<const Eigen::MatrixXf>>::element_type, const float>);

TEST_CASE("strides of every Eigen layout") {
  using row_major = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  row_major r(5, 7);
  Eigen::MatrixXd c(5, 7);
  CHECK(view_of(r).row_stride == 7);
  CHECK(view_of(r).col_stride == 1);
  CHECK(view_of(c).row_stride == 1);
  CHECK(view_of(c).col_stride == 5);

  auto block = c.block(1, 2, 3, 4);
  CHECK(view_of(block).data == &c(1, 2));
  CHECK(view_of(block).col_stride == 5);
  auto turned = r.transpose();
  CHECK(view_of(turned).rows == 7);
  CHECK(view_of(turned).row_stride == 1);
  auto every_second = Eigen::Map<row_major, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(r.data(), 2, 3, {14, 2});
  CHECK(&view_of(every_second)(1, 2) == r.data() + 18);
  auto row = c.row(2);
  CHECK(view_of(row).rows == 1);
  CHECK(&view_of(row)(0, 3) == &c(2, 3));
  Eigen::VectorXd v(4);
  CHECK(view_of(v).rows == 4);
  CHECK(view_of(v).cols == 1);
}

TEST_CASE("const matrices, const maps and const references give read-only views of the same memory") {
  const Eigen::MatrixXf m = Eigen::MatrixXf::Ones(3, 2);
  const Eigen::Ref<const Eigen::MatrixXf> ref(m);
  const Eigen::Map<const Eigen::MatrixXf> map(m.data(), 3, 2);
  static_assert(std::is_same_v<decltype(view_of(m)), matrix_view<const float>>);
  static_assert(std::is_same_v<decltype(view_of(ref)), matrix_view<const float>>);
  CHECK(view_of(m).data == m.data());
  CHECK(view_of(ref).data == m.data());
  CHECK(view_of(map).data == m.data());
}

TEST_CASE("tensors made like a column-major or row-major argument keep its order") {
  const Eigen::MatrixXf c = Eigen::MatrixXf::Ones(3, 2);
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> r = c;
  static_assert(!decltype(matrix_traits<Eigen::MatrixXf>::like(c))::IsRowMajor);
  static_assert(decltype(matrix_traits<std::remove_const_t<decltype(r)>>::like(r))::IsRowMajor);
  CHECK(matrix_traits<Eigen::MatrixXf>::like(c).rows() == 3);
}

TEST_CASE("views and maps may be temporaries as gradients, since they own nothing") {
  Eigen::MatrixXd zs = Eigen::MatrixXd::Random(4, 2), zt = Eigen::MatrixXd::Random(3, 2), g(10, 2), expected_s(4, 2), expected_t(3, 2);
  mmd{}.value_and_gradient(zs, zt, gradients{expected_s, expected_t});
  mmd{}.value_and_gradient(zs, zt, gradients{g.topRows(4), g.bottomRows(3)});
  CHECK(g.topRows(4) == expected_s);
  CHECK(g.bottomRows(3) == expected_t);
  const matrix_view<double> constant_view = view_of(expected_s);
  mmd{}.value_and_gradient(zs, zt, gradients{constant_view, g.bottomRows(3)});
  CHECK(expected_s == g.topRows(4));
}
