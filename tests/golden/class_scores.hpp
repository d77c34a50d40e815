/// @file
/// Tensors of class scores (N, C) or (N, C, d1, ..., dK), and the kinds of tensors that keep their second axis.
#pragma once

#include "tensors.hpp"

#include <cstddef>
#include <vector>

namespace golden {

/// Calls visit(tag<Tensor>{}) for each kind of tensor that holds an array of this rank without flattening its classes.
template <class T, class Visit>
void for_each_score_type(const array& scores, Visit&& visit) {
  if (scores.shape.size() == 2) {
    for_each_tensor_type<T>(visit);
    return;
  }
#if defined(DALIB_TEST_XTENSOR) && !defined(DALIB_TEST_THRUST)
  visit(tag<xtensor_array<T>>{});
#endif
}

/// The same with visit(kind).
template <class T, class Visit>
void for_each_score_kind(const array& scores, Visit&& visit) {
  for_each_score_type<T>(scores, [&]<class Tensor>(tag<Tensor>) { visit(kind_of<T, Tensor>()); });
}

/// (N, C, d1, ..., dK) as a matrix of N d1 ... dK rows of C scores, which every kind of tensor holds.
inline array score_rows(const array& scores) {
  const std::ptrdiff_t samples = scores.shape.at(0), classes = scores.shape.at(1), positions = scores.cols() / classes;
  array result({samples * positions, classes}, std::vector<double>(scores.values.size()));
  for (std::ptrdiff_t n = 0; n < samples; ++n)
    for (std::ptrdiff_t c = 0; c < classes; ++c)
      for (std::ptrdiff_t p = 0; p < positions; ++p)
        result.values[static_cast<std::size_t>((n * positions + p) * classes + c)] = scores.at(n, c * positions + p);
  return result;
}

/// The inverse of score_rows, to the given shape.
inline array scores_of_rows(const array& rows, std::vector<std::ptrdiff_t> shape) {
  array result(shape, std::vector<double>(rows.values.size()));
  const std::ptrdiff_t classes = shape.at(1), positions = result.cols() / classes;
  for (std::ptrdiff_t n = 0; n < shape[0]; ++n)
    for (std::ptrdiff_t c = 0; c < classes; ++c)
      for (std::ptrdiff_t p = 0; p < positions; ++p)
        result.values[static_cast<std::size_t>((n * classes + c) * positions + p)] = rows.at(n * positions + p, c);
  return result;
}

} // namespace golden
