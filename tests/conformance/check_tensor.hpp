/// @file
/// Laws of every tensor type: `conformance::check_tensor<float>(make)`.
#pragma once

#include "check_execution.hpp"

#include <string>

namespace conformance {

/// Reads any matrix_like element by element.
template <class M>
auto copied(const M& tensor) {
  const auto view = dalib::const_view_of(tensor);
  matrix<dalib::value_type_of<M>> result(view.rows, view.cols);
  for (dalib::index_t i = 0; i < view.rows; ++i)
    for (dalib::index_t j = 0; j < view.cols; ++j) result(i, j) = view(i, j);
  return result;
}

/// `make(rows, cols)` gives a writable tensor of that shape (6 x 4 and 5 x 4 are asked for), or anything with a `get()` that does.
/// Elements written through the view are read back; shapes and strides are right; measures give the bits that a row-major matrix gives, as
/// samples, as const samples and as gradients; the allocating form works where the type says how to make another.
template <class T, class Make>
report check_tensor(const Make& make) {
  report found;
  const auto filled = [&](auto& tensor, const matrix<T>& values) {
    const auto view = dalib::view_of(tensor);
    found.require(view.rows == values.rows() && view.cols == values.cols(), "the view has the shape asked for");
    for (dalib::index_t i = 0; i < view.rows; ++i)
      for (dalib::index_t j = 0; j < view.cols; ++j) view(i, j) = values(i, j);
    found.require(same_bits(copied(tensor), values), "elements written are read back");
  };
  const matrix<T> zs = normal_rows<T>(6, 4, 1), zt = normal_rows<T>(5, 4, 2, 1, 0.5);
  auto ts = make(6, 4);
  auto tt = make(5, 4);
  filled(ts, zs);
  filled(tt, zt);

  const dalib::mmd measure{dalib::kernel::gaussian_ladder{}, dalib::estimator::unbiased{}};
  const dalib::exec::serial serial;
  matrix<T> expected_s(6, 4), expected_t(5, 4);
  const T expected = measure.value_and_gradient(serial, zs, zt, dalib::gradients{expected_s, expected_t});

  auto gs = make(6, 4);
  auto gt = make(5, 4);
  filled(gs, zs);
  filled(gt, zt);
  const T value = measure.value_and_gradient(serial, ts, tt, dalib::gradients{gs, gt});
  found.require(same_bits(value, expected), "the value is that of a row-major matrix");
  found.require(same_bits(copied(gs), expected_s) && same_bits(copied(gt), expected_t), "the gradients are those of a row-major matrix");
  found.require(same_bits(copied(ts), zs) && same_bits(copied(tt), zt), "samples are not written");

  const auto& read_s = ts;
  found.require(same_bits(measure.value_and_gradient(serial, read_s, zt, dalib::gradients{expected_s, gt}), expected),
                "const samples and mixed tensor types give the same value");
  return found;
}

/// The allocating form makes gradients of a kind that `tensor` says, with the right shape and elements.
template <class T, class M>
report check_allocating_form(const M& tensor) {
  report found;
  const matrix<T> rows = copied(tensor), other = normal_rows<T>(5, rows.cols(), 3);
  const dalib::mmd measure{dalib::kernel::gaussian_ladder{}, dalib::estimator::unbiased{}};
  const auto expected = dalib::value_and_gradient(measure, rows, other);
  const auto result = dalib::value_and_gradient(measure, tensor, other);
  found.require(same_bits(result.value, expected.value), "the allocating form gives the same value");
  found.require(same_bits(copied(result.source), expected.source), "the allocating form gives the same gradient");
  return found;
}

} // namespace conformance
