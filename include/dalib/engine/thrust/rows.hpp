/// @file
/// Centred rows of a joint sample in device memory, with the terms that pair statistics need.
#pragma once

#include "dalib/engine/pair/layer.hpp"
#include "dalib/engine/thrust/summary.hpp"

namespace dalib::engine {

/// All rows of a layer, centred, contiguous.
template <class T>
struct device_rows {
  index_t features = 0;
  T* rows = nullptr;
  T* norm = nullptr;         ///< row_terms::norm
  T* shift = nullptr;        ///< row_terms::shift, none unless a statistic needs it
  T* inverse_norm = nullptr; ///< row_terms::inverse_norm, likewise

  DALIB_HD const T* row(index_t i) const { return rows + i * features; }
  DALIB_HD row_terms<T> terms(index_t i) const { return {norm[i], shift ? shift[i] : T(0), inverse_norm ? inverse_norm[i] : T(0)}; }
};

namespace detail {

/// One element of the centred rows: task = row * features + feature.
template <class T>
struct centre_task {
  joint_sample<T, device_memory> data;
  row_origin<T> origin;
  T* to;

  DALIB_HD void operator()(index_t task) const {
    const index_t row = task / data.features(), f = task % data.features();
    to[task] = origin.from(data.view_of_row(row)(data.place_of_row(row), f), f);
  }
};

/// Terms of one centred row.
template <class T>
struct terms_task {
  device_rows<T> rows;
  row_origin<T> origin;

  DALIB_HD void operator()(index_t row) const {
    const row_terms<T> terms = raw_terms(rows.row(row), rows.features, origin);
    rows.norm[row] = terms.norm;
    if (rows.shift) rows.shift[row] = terms.shift;
    if (rows.inverse_norm) rows.inverse_norm[row] = terms.inverse_norm;
  }
};

} // namespace detail

/// Copies all rows of a layer into scratch memory, measured from `origin`. O(n F).
template <class T, class Profile>
device_rows<T> rows_from(const exec::thrust& exec, const layer<T, Profile, device_memory>& one, const row_origin<T>& origin,
                         device_workspace& scratch) {
  const index_t count = one.data.rows(), features = one.data.features();
  device_rows<T> result;
  result.features = features;
  result.rows = scratch.allocate<T>(count * features);
  result.norm = scratch.allocate<T>(count);
  if (reads<Profile>::shift) {
    result.shift = scratch.allocate<T>(count);
    result.inverse_norm = scratch.allocate<T>(count);
  }
  exec.run(count * features, detail::centre_task<T>{one.data, origin, result.rows});
  exec.run(count, detail::terms_task<T>{result, origin});
  return result;
}

} // namespace dalib::engine
