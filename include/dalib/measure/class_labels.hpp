/// @file
/// Class labels as measures are given them, checked and where tasks can read them.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/engine/host/backend.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace dalib {

/// Labels of a sample's rows: 0 .. C - 1. Refers to the caller's numbers.
using label_span = std::span<const std::int64_t>;

namespace detail {

/// Throws unless there is one label in 0 .. classes - 1 for each of `rows` rows.
inline void require_labels(const char* measure, label_span labels, index_t rows, index_t classes) {
  if (static_cast<index_t>(labels.size()) != rows)
    fail(measure, "needs one label per row (got " + std::to_string(labels.size()) + " labels for " + std::to_string(rows) + " rows)");
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      fail(measure,
           "label " + std::to_string(labels[i]) + " of row " + std::to_string(i) + " is not in 0 .. " + std::to_string(classes - 1));
}

/// The labels as numbers of type T, where tasks can read them.
template <class T, class Memory, class Exec>
const T* labels_for(const Exec& exec, label_span labels, workspace_of<Memory>& scratch) {
  return backend<Memory>::template filled_for<T>(
      exec, static_cast<index_t>(labels.size()),
      [&](T* numbers) {
        for (std::size_t i = 0; i < labels.size(); ++i) numbers[i] = static_cast<T>(labels[i]);
      },
      scratch);
}

/// One number of each of `count` rows from `first` on, 0 in unused lanes.
template <class V>
DALIB_HD V load_row_numbers(const dalib::element_of<V>* from, index_t first, index_t count) {
  dalib::element_of<V> numbers[lanes_of<V>] = {};
  for (index_t lane = 0; lane < count; ++lane) numbers[lane] = from[first + lane];
  return load_lanes<V>(numbers);
}

} // namespace detail

} // namespace dalib
