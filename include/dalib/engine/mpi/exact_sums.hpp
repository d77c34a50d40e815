/// @file
/// Sums that no order of addition changes: rows may lie on any rank, and be added by any thread.
#pragma once

#include "dalib/engine/row/class_column.hpp"
#include "dalib/execution/mpi_communicator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace dalib::engine {

/// Sums of doubles without rounding, each a fixed-point number of 2176 bits in digits of 32 that have not been carried (Kulisch's
/// accumulator). Integers may be added in any order, so a sum has the same bits for any number of threads and of ranks and however rows are
/// dealt to them; no chunks, no order and no chain of messages are needed. A few nanoseconds for each number. NaN and infinite ones are
/// counted apart and come out as a sum in floating point has them.
///
/// @code{.cpp}
/// engine::exact_sums forwards(1), backwards(1);
/// const double numbers[] = {1e300, 1, 0x1p-1074, -1e300, 0x1p-60};
/// for (int i = 0; i < 5; ++i) {
///   forwards.add(0, numbers[i]);
///   backwards.add(0, numbers[4 - i]);
/// }
/// assert(forwards.value(0) == 1 && backwards.value(0) == 1); // 1 + 2^-60 + 2^-1074, rounded once
/// @endcode
class exact_sums {
  static constexpr int digits = 68; ///< digit d counts 2^(32 d - 1074)
  static constexpr int not_a_number = digits, infinite = digits + 1, negative_infinite = digits + 2, additions = digits + 3;
  static constexpr int size = digits + 4;

public:
  explicit exact_sums(index_t count) : numbers_(static_cast<std::size_t>(count * size)) {}

  index_t count() const { return static_cast<index_t>(numbers_.size()) / size; }

  void add(index_t which, double number) {
    const auto bits = std::bit_cast<std::uint64_t>(number);
    std::int64_t* const to = at(which);
    const auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
    std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52) - 1);
    const bool negative = (bits >> 63) != 0;
    if (exponent == 0x7ff) {
      ++to[mantissa != 0 ? not_a_number : negative ? negative_infinite : infinite];
      return;
    }
    if (exponent != 0) mantissa |= std::uint64_t{1} << 52;
    if (mantissa == 0) return;
    const int place = exponent == 0 ? 0 : exponent - 1;
    std::int64_t* const digit = to + place / 32;
    const std::uint64_t low = (mantissa & 0xffffffff) << place % 32, high = ((mantissa >> 32) << place % 32) + (low >> 32);
    const std::int64_t sign = negative ? -1 : 1;
    digit[0] += sign * static_cast<std::int64_t>(low & 0xffffffff);
    digit[1] += sign * static_cast<std::int64_t>(high & 0xffffffff);
    digit[2] += sign * static_cast<std::int64_t>(high >> 32);
    if (++to[additions] == (std::int64_t{1} << 30)) carry(to);
  }

  void add(const exact_sums& others) {
    carry();
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers_[i] += others.numbers_[i];
    carry();
  }

  /// Over all ranks: one all-reduce.
  void add_up(const mpi_communicator& ranks) {
    carry();
    ranks.add_up(numbers_.data(), static_cast<index_t>(numbers_.size()));
  }

  /// The sum, rounded to some ulp of the exact one; the same for the same numbers in any order.
  double value(index_t which) const {
    std::vector<std::int64_t> sum(at(which), at(which) + size);
    if (sum[not_a_number] != 0 || (sum[infinite] != 0 && sum[negative_infinite] != 0)) return std::numeric_limits<double>::quiet_NaN();
    if (sum[infinite] != 0) return std::numeric_limits<double>::infinity();
    if (sum[negative_infinite] != 0) return -std::numeric_limits<double>::infinity();
    carry(sum.data());
    const bool negative = sum[digits - 1] < 0;
    if (negative) {
      for (int d = 0; d < digits; ++d) sum[static_cast<std::size_t>(d)] = -sum[static_cast<std::size_t>(d)];
      carry(sum.data());
    }
    double total = 0;
    for (int d = digits - 1; d >= 0; --d) total += std::ldexp(static_cast<double>(sum[static_cast<std::size_t>(d)]), 32 * d - 1074);
    return negative ? -total : total;
  }

private:
  std::int64_t* at(index_t which) { return numbers_.data() + which * size; }
  const std::int64_t* at(index_t which) const { return numbers_.data() + which * size; }

  void carry() {
    for (index_t which = 0; which < count(); ++which) carry(at(which));
  }
  /// Brings all digits but the last one, which has the sign, into [0, 2^32): the one form of a number.
  static void carry(std::int64_t* sum) {
    for (int d = 0; d + 1 < digits; ++d) {
      sum[d + 1] += sum[d] >> 32;
      sum[d] &= 0xffffffff;
    }
    sum[additions] = 0;
  }

  std::vector<std::int64_t> numbers_;
};

namespace detail {
/// Calls add(group, scratch, sums of this worker) for every group, and adds all workers' sums.
template <class T, class Exec, class Add>
void add_groups(const Exec& exec, const row_problem& rows, exact_sums& to, workspace& memory, const Add& add) {
  const workspace_mark mark(memory);
  const row_groups groups{rows, simd_lanes<T>};
  const worker_scratch<T> scratch(memory, exec.workers(), rows);
  const index_t per_task = groups_per_task<T>(rows), tasks = (groups.count() + per_task - 1) / per_task;
  std::vector<exact_sums> sums(static_cast<std::size_t>(exec.workers()), exact_sums(to.count()));
  exec.run(tasks, [&](index_t run, int worker) {
    for (index_t g = run * per_task; g < std::min(groups.count(), (run + 1) * per_task); ++g)
      add(groups[g], scratch(worker), sums[static_cast<std::size_t>(worker)]);
  });
  for (const exact_sums& one : sums) to.add(one);
}
} // namespace detail

/// Adds the values `V task(group, scratch)` of this rank's rows to to[0]; see reduce_groups.
template <class T, class Exec, class Task>
void add_values(const Exec& exec, const row_problem& rows, const Task& task, exact_sums& to, workspace& memory) {
  detail::add_groups<T>(exec, rows, to, memory, [&](const row_group& group, const auto& scratch, exact_sums& sums) {
    T lanes[simd_lanes<T>];
    store_lanes(task(group, scratch), lanes);
    for (index_t lane = 0; lane < group.count; ++lane) sums.add(0, static_cast<double>(lanes[lane]));
  });
}

/// Adds what `task(group, scratch)` leaves of this rank's rows in the columns, class by class; see sum_classes.
template <class T, class Exec, class Task>
void add_classes(const Exec& exec, const row_problem& rows, const Task& task, exact_sums& to, workspace& memory) {
  detail::add_groups<T>(exec, rows, to, memory, [&](const row_group& group, const auto& scratch, exact_sums& sums) {
    task(group, scratch);
    const auto columns = scratch(0);
    for (index_t c = 0; c < rows.columns * rows.classes; ++c)
      for (index_t lane = 0; lane < group.count; ++lane) sums.add(c, static_cast<double>(columns.data[c * columns.stride + lane]));
  });
}

} // namespace dalib::engine
