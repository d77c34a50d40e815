// Problems too large to be packed as a whole: each visitor of a tile packs its blocks.
#include "conformance/check_execution.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// The same rows with `features` columns, all new ones zero.
matrix<float> widened(const matrix<float>& rows, dalib::index_t features) {
  matrix<float> wide = matrix<float>::Zero(rows.rows(), features);
  wide.leftCols(rows.cols()) = rows;
  return wide;
}

} // namespace

TEST_CASE("columns of zeros change nothing, for rows packed once and for rows packed by tile") {
  const auto zs = normal_rows<float>(150, 20, 1), zt = normal_rows<float>(130, 20, 2, 1.3, 0.4);
  const mmd measure{kernel::gaussian{} + 0.1 * kernel::linear{}, estimator::unbiased{}};
  const auto expected = value_and_gradient(measure, zs, zt);
  const auto wide = value_and_gradient(measure, widened(zs, 20000), widened(zt, 20000)); // 280 rows of 20000 floats, packed: 45 MB
  CHECK(wide.value == doctest::Approx(expected.value).epsilon(1e-5));
  CHECK(conformance::relative_difference(wide.source.leftCols(20).eval(), expected.source) < 1e-6);
  CHECK(conformance::relative_difference(wide.target.leftCols(20).eval(), expected.target) < 1e-6);
  CHECK(wide.source.rightCols(20000 - 20).isZero(0));
}

#if defined(_OPENMP)
TEST_CASE("rows packed by tile: the same bits for any number of threads") {
  const auto zs = widened(normal_rows<float>(150, 20, 1), 20000), zt = widened(normal_rows<float>(130, 20, 2), 20000);
  const mmd measure{kernel::gaussian{}, estimator::unbiased{}};
  const auto found = conformance::check_same_bits(exec::openmp{3}, measure, zs, zt, "packed by tile");
  CHECK_MESSAGE(found.passed(), found.text());
}
#endif
