/// @file
/// Samples for the tests of tests.
#pragma once

#include "dalib/inference/draws.hpp"

#include <Eigen/Core>

namespace test {

/// Normal rows, a function of the seed alone, moved by `shift`.
template <class T = double>
Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> normal_rows(std::uint64_t seed, dalib::index_t rows, dalib::index_t features,
                                                             double shift = 0) {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> result(rows, features);
  for (dalib::index_t i = 0; i < rows; ++i)
    for (dalib::index_t f = 0; f < features; ++f)
      result(i, f) = static_cast<T>(shift + dalib::standard_normal(seed, static_cast<std::uint64_t>(i * features + f)));
  return result;
}

} // namespace test
