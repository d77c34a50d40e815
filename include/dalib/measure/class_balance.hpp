/// @file
/// The class-balance term of MCD.
#pragma once

#include "dalib/concepts.hpp"
#include "dalib/core/gradient.hpp"
#include "dalib/engine/host/backend.hpp"
#include "dalib/engine/row/class_sums.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"

#include <cmath>
#include <span>
#include <string>

namespace dalib {

namespace detail {

/// Leaves the probabilities of a register of rows in column 0, or both parts of those of logits in columns 0 and 1.
template <class T, class Memory, class Scores>
struct probabilities_task {
  class_rows<const T, Memory> scores;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    engine::load_rows(scores, group.first, group.count, scratch(0));
    if constexpr (Scores::sum_to_one) engine::split_softmax(scratch(0), scratch(1));
  }
};

/// What a row's gradient needs of the mean predictions: for every class the plain part of its mean, the rest of it, and 1/(mean + offset).
template <class T>
struct balance_table {
  const T* numbers;
  index_t classes;
  T share; ///< 1/(C n)

  DALIB_HD T plain(index_t c) const { return numbers[c]; }
  DALIB_HD T rest(index_t c) const { return numbers[classes + c]; }
  DALIB_HD T inverse(index_t c) const { return numbers[2 * classes + c]; }
};

/// Writes the gradient of a register of rows. With respect to class c's probability it is -share / (mean_c + offset). A softmax passes only
/// differences of these on, which are formed from those of the means.
template <class T, class Memory, class Scores>
struct balance_gradient_task {
  class_rows<const T, Memory> scores;
  gradient<T, Memory> out;
  balance_table<T> table;

  template <class V>
  DALIB_HD void operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0);
    engine::load_rows(scores, group.first, group.count, p);
    Scores::to_probabilities(p);
    const V factor = V(out.scale * table.share);
    if constexpr (Scores::sum_to_one) {
      const V top = engine::top_class(p), plain = at<V>(top, 0), rest = at<V>(top, 1), inverse = at<V>(top, 2);
      const auto relative = scratch(1);
      for (index_t c = 0; c < p.classes; ++c)
        relative.set(c, ((V(table.plain(c)) - plain) + (V(table.rest(c)) - rest)) * (V(table.inverse(c)) * inverse));
      engine::pull_relative_slopes(p, factor, [&](index_t c) { return relative[c]; });
    } else {
      Scores::pull(p, factor, [&](index_t c) { return V(-table.inverse(c)); });
    }
    engine::store_rows(p, group.first, group.count, scores.like(out.target), out.mode);
  }

private:
  /// One of the table's numbers for the class that each lane holds.
  template <class V>
  DALIB_HD V at(const V& place, index_t which) const {
    T lanes[lanes_of<V>];
    store_lanes(place, lanes);
    const T* numbers = table.numbers + which * table.classes;
    for (index_t lane = 0; lane < lanes_of<V>; ++lane) lanes[lane] = numbers[static_cast<index_t>(lanes[lane])];
    return load_lanes<V>(lanes);
  }
};

/// Mean predictions of C classes over `rows` rows in two parts, so that differences of them keep their digits.
class mean_predictions {
public:
  /// @param sums  of every class's probability, or of the plain parts and, behind them, the rests of engine::split_softmax
  mean_predictions(std::span<const double> sums, double rows, index_t classes) : sums_(sums), rows_(rows), classes_(classes) {}

  double operator[](index_t c) const { return plain(c) + rest(c); }
  double plain(index_t c) const {
    if (!split()) return 0;
    const double sum = sums_[static_cast<std::size_t>(c)], ones = std::floor(sum);
    const double nearly_uniform = (sum - ones) / engine::uniform_mark<double>;
    return (ones + nearly_uniform / static_cast<double>(classes_)) / rows_;
  }
  double rest(index_t c) const { return sums_[static_cast<std::size_t>(split() ? classes_ + c : c)] / rows_; }

private:
  bool split() const { return sums_.size() > static_cast<std::size_t>(classes_); }

  std::span<const double> sums_;
  double rows_;
  index_t classes_;
};

} // namespace detail

/// The term that MCD's code and DALIB call entropy:
///
///     -1/C sum_c log(1/n sum_i p_ic + offset),   p = softmax of the logits
///
/// It is no entropy but the cross-entropy of the uniform law with the mean prediction: it is smallest, log C, when all classes are
/// predicted equally often, and bounded by -log offset when some class is never predicted. Scores are (n, C), or (n, C, d1, ..., dK) as
/// xtensor tensors; with `scores::probabilities` they are p. Finite with a right gradient for any finite logits. One class gives -log(1 +
/// offset). O(n C).
/// @throws std::invalid_argument for an empty tensor, a gradient of another shape, or an offset that is not positive and finite.
///
/// @code{.cpp}
/// const Eigen::MatrixXd balanced = Eigen::MatrixXd::Zero(8, 4); // softmax 1/4 each
/// Eigen::MatrixXd g(8, 4);
/// const double value = class_balance{}.value_and_gradient(balanced, gradient{g});
/// assert(std::abs(value - std::log(4)) < 1e-5 && g.norm() < 1e-5); // the smallest value
/// const Eigen::MatrixXd p = Eigen::MatrixXd::Constant(8, 4, 0.25);
/// assert(std::abs(class_balance{scores::probabilities{}}(p) - value) < 1e-14);
/// @endcode
template <class Scores = scores::logits>
struct class_balance : call_forms<class_balance<Scores>> {
  static constexpr const char* name = "class_balance";
  static constexpr std::size_t arity = 1;
  static constexpr std::array<const char*, 1> argument_names = {"the scores"};

  double offset;

  /// @param away  `offset`: what the mean of a class is kept away from 0 by; 1e-6 as in MCD's code.
  explicit class_balance(Scores = {}, double away = 1e-6) : offset(away) {}

  /// The operation that every form of call comes down to.
  template <class Call, class A>
  auto evaluate(const Call& call, const A& scores) const {
    const auto out = call.template output<0>(gradient<value_type_of<A>, memory_of<A>>{});
    return checked_types<Call>(call, out, scores);
  }

private:
  template <class Call, class T, class Memory, class A>
  T checked_types(const Call& call, const gradient<T, Memory>& out, const A& scores) const {
    using Exec = typename Call::execution_type;
    require_tensor_types<T, Memory, Exec, A>();
    return run<Call::wants_gradient, Exec, T, Memory>(call.execution, class_rows_of(scores), out, call.scratch);
  }
  template <bool Gradient, class Exec, class T, class Memory>
  T run(const Exec& exec, const class_rows<const T, Memory>& scores, const gradient<T, Memory>& out, workspace_of<Memory>& scratch) const {
    require_same_scores(name, scores, scores);
    require_gradient_shape(name, scores.tensor, out.target);
    require_apart(name, {scores.tensor}, {out.target});
    if (!(offset > 0) || !is_finite(offset)) fail(name, "offset must be positive and finite (got " + std::to_string(offset) + ")");
    const index_t classes = scores.classes();
    const engine::row_problem problem{scores.rows(), 0, Scores::sum_to_one ? 2 : 1, classes};
    const workspace_scope scope(scratch);
    const auto sums =
        backend<Memory>::template sum_classes<T>(exec, problem, detail::probabilities_task<T, Memory, Scores>{scores}, scratch);
    const detail::mean_predictions means(sums, static_cast<double>(scores.rows()), classes);
    double value = 0;
    for (index_t c = 0; c < classes; ++c) value -= std::log(means[c] + offset) / static_cast<double>(classes);
    if constexpr (Gradient)
      if (out.target.data) {
        const T* table = backend<Memory>::template filled_for<T>(
            exec, 3 * classes, [&](T* numbers) { fill_table(means, classes, numbers); }, scratch);
        const T share = static_cast<T>(1 / (static_cast<double>(classes) * static_cast<double>(scores.rows())));
        backend<Memory>::template visit_groups<T>(exec, engine::row_problem{scores.rows(), 0, 2, classes},
                                                  detail::balance_gradient_task<T, Memory, Scores>{scores, out, {table, classes, share}},
                                                  scratch);
      }
    return static_cast<T>(value);
  }

  /// The numbers of a balance_table.
  template <class T>
  void fill_table(const detail::mean_predictions& means, index_t classes, T* numbers) const {
    for (index_t c = 0; c < classes; ++c) {
      numbers[c] = static_cast<T>(means.plain(c));
      numbers[classes + c] = static_cast<T>(means.rest(c));
      numbers[2 * classes + c] = static_cast<T>(1 / (means[c] + offset));
    }
  }
};

class_balance()->class_balance<>;
template <class Scores>
class_balance(Scores) -> class_balance<Scores>;
template <class Scores>
class_balance(Scores, double) -> class_balance<Scores>;

} // namespace dalib
