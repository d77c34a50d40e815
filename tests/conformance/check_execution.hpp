/// @file
/// Laws of every execution policy: `conformance::check_execution(my_policy{})`.
#pragma once

#include "report.hpp"
#include "samples.hpp"

#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace conformance {

/// Whether two matrices have the same bits.
template <class T>
bool same_bits(const matrix<T>& a, const matrix<T>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}
template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// Value and both gradients of `measure`, run by `exec`, have the bits of the serial run.
template <class T, class Exec, class Measure>
report check_same_bits(const Exec& exec, const Measure& measure, const matrix<T>& zs, const matrix<T>& zt, const std::string& what) {
  report found;
  const auto run = [&](const auto& policy, matrix<T>& gs, matrix<T>& gt) {
    gs.setConstant(zs.rows(), zs.cols(), T(7));
    gt.setConstant(zt.rows(), zt.cols(), T(7));
    return measure.value_and_gradient(policy, zs, zt, dalib::gradients{gs, gt});
  };
  matrix<T> gs, gt, expected_s, expected_t;
  const T expected = run(dalib::exec::serial{}, expected_s, expected_t);
  const T value = run(exec, gs, gt);
  const std::string sizes = what + " at " + std::to_string(zs.rows()) + " + " + std::to_string(zt.rows()) + " rows: ";
  found.require(same_bits(value, expected), sizes + "the value has the bits of the serial run");
  found.require(same_bits(gs, expected_s), sizes + "the source's gradient has the bits of the serial run");
  found.require(same_bits(gt, expected_t), sizes + "the target's gradient has the bits of the serial run");
  return found;
}

/// Every task runs exactly once, all are done on return, workers' numbers are below workers(), no task is no task; and two measures give
/// the bits of the serial run on few and on many rows.
template <class Exec>
report check_execution(const Exec& exec) {
  report found;
  const int workers = exec.workers(); // asked before the run, as the engines do: inside a task it may be another number
  found.require(workers >= 1, "there is at least one worker");
  for (const dalib::index_t count : {0, 1, 2, 7, 100}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
    std::atomic<bool> in_range = true;
    exec.run(count, [&](dalib::index_t task, int worker) {
      if (task < 0 || task >= count || worker < 0 || worker >= workers)
        in_range = false;
      else
        ++visits[static_cast<std::size_t>(task)];
    });
    bool once = true;
    for (const std::atomic<int>& visit : visits) once = once && visit == 1;
    found.require(in_range, "tasks and workers are in range");
    found.require(once, "each of " + std::to_string(count) + " tasks runs exactly once");
  }
  const dalib::mmd full{dalib::kernel::gaussian{}, dalib::estimator::unbiased{}};
  const dalib::mmd ring{dalib::kernel::gaussian{}, dalib::compat::ring{}};
  for (const dalib::index_t rows : {20, 150}) {
    const matrix<float> zs = normal_rows<float>(rows, 10, 1), zt = normal_rows<float>(rows, 10, 2, 1, 0.3);
    found.add(check_same_bits(exec, full, zs, zt, "full pairs"));
    found.add(check_same_bits(exec, ring, zs, zt, "ring"));
  }
  return found;
}

} // namespace conformance
