/// @file
/// Sizes, weights and moments of a sample as numbers that can be merged, so that the sample may lie on one machine or on many.
#pragma once

#include "dalib/core/sample.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace dalib::engine {

/// Weighted sums of what one feature's elements differ by from a reference, in double.
struct moment_sums {
  double sum = 0;
  double square = 0;

  DALIB_HD void add(double weight, double offset) {
    sum += weight * offset;
    square += weight * offset * offset;
  }
};

/// What a part of a sample says of the whole: its number of rows, their total weight, and for each feature the sums, by weight, of what the
/// rows differ by from a reference row and of its squares. Merging the parts in one fixed order gives the same bits wherever they were
/// found. All of it lies in one piece of memory, `numbers()`, so that it is one message.
///
/// The reference is a row of the sample, the same for all parts: so that a shift of the data by any constant costs no accuracy.
template <class T>
class sample_moments {
public:
  static index_t size(index_t features) { return 2 + 2 * features; }

  /// Of no rows. @param numbers  memory for size(features), which outlives this
  sample_moments(index_t features, const T* reference, double* numbers) : features_(features), reference_(reference), numbers_(numbers) {
    std::fill_n(numbers_, size(features_), 0.0);
  }

  /// What lies in memory already, as it arrived.
  static sample_moments of_numbers(index_t features, const T* reference, double* numbers) {
    return sample_moments(features, reference, numbers, nullptr);
  }

  /// Adds the rows of a part, in their order; rows of weight 0 are not looked at. O(rows F).
  void add(const sample<T>& part) {
    for (index_t row = 0; row < part.rows.rows; ++row) {
      const double weight = part.weights ? static_cast<double>(part.weights[row]) : 1.0;
      numbers_[0] += 1;
      if (weight == 0) continue;
      numbers_[1] += weight;
      add_row(&part.rows(row, 0), part.rows.col_stride, weight);
    }
  }

  /// Adds another part of the same sample. O(F).
  void merge(const sample_moments& other) {
    for (index_t i = 0; i < size(features_); ++i) numbers_[i] += other.numbers_[i];
  }

  index_t features() const { return features_; }
  const T* reference() const { return reference_; }
  index_t rows() const { return static_cast<index_t>(numbers_[0]); }
  double weight() const { return numbers_[1]; }
  const double* sums() const { return numbers_ + 2; }
  const double* squares() const { return numbers_ + 2 + features_; }

  /// What a message holds.
  std::span<double> numbers() const { return {numbers_, static_cast<std::size_t>(size(features_))}; }

private:
  sample_moments(index_t features, const T* reference, double* numbers, std::nullptr_t)
      : features_(features), reference_(reference), numbers_(numbers) {}

  void add_row(const T* row, index_t stride, double weight) {
    double *const sums = numbers_ + 2, *const squares = sums + features_;
    const auto run = [&](index_t step) {
      for (index_t f = 0; f < features_; ++f) {
        moment_sums own;
        own.add(weight, as_written(static_cast<double>(row[f * step]) - static_cast<double>(reference_[f])));
        sums[f] += own.sum;
        squares[f] += own.square;
      }
    };
    stride == 1 ? run(1) : run(stride); // the constant stride lets the compiler vectorise
  }

  index_t features_;
  const T* reference_;
  double* numbers_;
};

} // namespace dalib::engine
