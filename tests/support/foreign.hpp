/// @file
/// Policies as a user would write them: a kernel, bandwidth rules, estimators, an accumulator, an execution policy and a tensor type.
#pragma once

#include <dalib/dalib.hpp>

#include <cstddef>
#include <thread>
#include <tuple>
#include <vector>

namespace foreign {

/// Bandwidth rule: twice the mean squared distance.
struct twice_mean {
  template <class Data>
  double squared_scale(const Data& data) const {
    const double mean = data.mean_squared_distance();
    return mean > 0 ? 2 * mean : 1;
  }
};

/// k = 1 / (1 + rate s).
struct cauchy_profile {
  using statistic = dalib::squared_distance;
  double rate = 1;

  template <class T>
  DALIB_HD dalib::jet<T> operator()(const T& s) const {
    const T value = T(1) / (T(1) + T(rate) * s);
    return {value, T(-rate) * value * value};
  }
};

/// A kernel with a bandwidth rule of its own.
template <class Bandwidth = twice_mean>
struct cauchy {
  using statistic = dalib::squared_distance;
  Bandwidth bandwidth{};

  template <class Data>
  cauchy_profile bind(const Data& data) const {
    return {1 / bandwidth.squared_scale(data)};
  }
};
template <class Bandwidth>
cauchy(Bandwidth) -> cauchy<Bandwidth>;

/// exp(-rate s), written by the user.
struct exponential {
  using statistic = dalib::squared_distance;
  double rate = 1;

  template <class T>
  DALIB_HD dalib::jet<T> operator()(T s) const {
    using std::exp;
    const T value = exp(T(-rate) * s);
    return {value, T(-rate) * value};
  }
};

/// Full-pair estimator: the V statistic times a factor, plus a constant.
struct affine_biased {
  double factor = 3;
  double constant = 0.25;

  dalib::pair_coefficients coefficients(const dalib::sample_sizes& n) const {
    const double s = n.source_weight, t = n.target_weight;
    return {factor / (s * s), factor / (t * t), -factor / (s * t), false, constant};
  }
};

/// Quadruple estimator that reads the first four rows only.
struct first_quadruple {
  dalib::quadruple_plan plan(const dalib::sample_sizes& n) const {
    if (n.source < 2 || n.target < 2) dalib::fail(n, "foreign::first_quadruple needs 2 samples in each domain");
    return {1, false, 1, 1, 0};
  }
};

/// A pair statistic that adds up over the features: sum_f log(1 + (x_f - y_f)^2).
struct log_distance {
  static constexpr bool from_gram = false;
  static constexpr bool translation_invariant = true;

  template <class T>
  static T term(const T& x, const T& y) {
    using std::log;
    return log(T(1) + (x - y) * (x - y));
  }
  template <class T>
  static T slope(const T& x, const T& y) {
    return T(2) * (x - y) / (T(1) + (x - y) * (x - y));
  }
};

/// Quadruples named one by one: each row of the source with its neighbour, and a pair of the target that comes round.
struct neighbours {
  dalib::quadruple_plan plan(const dalib::sample_sizes& n) const {
    if (n.source < 2 || n.target < 2) dalib::fail(n, "foreign::neighbours needs 2 samples in each domain");
    const double each = 1 / static_cast<double>(n.source);
    return {.count = n.source, .within = each, .across = each};
  }
  dalib::quadruple_places places(const dalib::sample_sizes& n, dalib::index_t q) const {
    return {q, (q + 1) % n.source, q % n.target, (q + 1) % n.target};
  }
};

/// An estimator that is a sum of two.
struct two_parts {
  auto parts() const { return std::tuple{dalib::estimator::biased{}, dalib::estimator::block{4}}; }
};

/// Accumulator in extended precision.
struct extended {
  struct state {
    long double total = 0;
  };
  static void add(state& s, double term) { s.total += term; }
  static void merge(state& s, const state& other) { s.total += other.total; }
  static double result(const state& s) { return static_cast<double>(s.total); }
};

/// Execution policy: std::threads, of which thread w runs tasks w, w + n, ... from the last to the first.
struct reversed_threads {
  using memory = dalib::host_memory;
  int threads = 2;

  int workers() const { return threads; }
  template <class Task>
  void run(dalib::index_t count, const Task& task) const {
    std::vector<std::thread> team;
    for (int worker = 0; worker < threads; ++worker)
      team.emplace_back([this, worker, count, &task] {
        for (dalib::index_t i = count - 1; i >= 0; --i)
          if (i % threads == worker) task(i, worker);
      });
    for (std::thread& one : team) one.join();
  }
};

/// Tensor type that knows nothing of dalib: rows stand apart by `gap` unused elements.
template <class T>
class table {
public:
  table(std::size_t rows, std::size_t cols, std::size_t gap = 2)
      : rows_(rows), cols_(cols), stride_(cols + gap), cells_(rows * stride_, unused) {}

  static constexpr T unused = T(-12345);
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride() const { return stride_; }
  T* cells() { return cells_.data(); }
  const T* cells() const { return cells_.data(); }
  T& at(std::size_t i, std::size_t j) { return cells_[i * stride_ + j]; }
  const T& at(std::size_t i, std::size_t j) const { return cells_[i * stride_ + j]; }

private:
  std::size_t rows_, cols_, stride_;
  std::vector<T> cells_;
};

} // namespace foreign

/// How the user makes dalib know the table.
template <class T>
struct dalib::matrix_traits<foreign::table<T>> {
  static constexpr bool owning = true;
  static auto view(foreign::table<T>& t) {
    return matrix_view<T>{t.cells(), static_cast<index_t>(t.rows()), static_cast<index_t>(t.cols()), static_cast<index_t>(t.stride()), 1};
  }
  static auto view(const foreign::table<T>& t) {
    return matrix_view<const T>{t.cells(), static_cast<index_t>(t.rows()), static_cast<index_t>(t.cols()), static_cast<index_t>(t.stride()),
                                1};
  }
  static auto like(const foreign::table<T>& t) { return foreign::table<T>(t.rows(), t.cols()); }
};
