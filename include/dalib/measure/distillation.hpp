/// @file
/// Distillation: predictions drawn to those of a teacher.
#pragma once

#include "dalib/engine/row/softmax.hpp"
#include "dalib/measure/score_measure.hpp"

#include <array>
#include <utility>

namespace dalib {

namespace detail {

/// Divergence of a register of rows, or of one, and its gradient with respect to the student's logits.
template <bool Gradient, class T, class Memory>
struct distillation_task {
  class_rows<const T, Memory> student, teacher;
  gradient<T, Memory> out;
  T factor, sharpness;

  template <class V>
  DALIB_HD V operator()(const engine::row_group& group, const engine::row_scratch<V>& scratch) const {
    const auto p = scratch(0), q = scratch(1), gap = scratch(2);
    engine::load_rows(teacher, group.first, group.count, p);
    engine::load_rows(student, group.first, group.count, q);
    for (index_t c = 0; c < p.classes; ++c) {
      p.set(c, V(sharpness) * p[c]);
      q.set(c, V(sharpness) * q[c]);
    }
    const V value = engine::divergence_in_place(p, q, gap, scratch(3));
    if constexpr (Gradient) {
      for (index_t c = 0; c < q.classes; ++c) q.set(c, V(-out.scale * factor * sharpness) * gap[c]);
      engine::store_rows(q, group.first, group.count, student.like(out.target), out.mode);
    }
    return V(factor) * value;
  }
};

} // namespace detail

/// Distillation (Hinton et al. 2015, section 2) and, with temperature 1, the consistency term of virtual adversarial training:
///
///     T^2 mean_i KL(softmax(teacher_i / T) | softmax(student_i / T))
///
/// Inputs are the student's logits and the teacher's, (n, C) each, or (n, C, d1, ..., dK) as xtensor tensors; the teacher's are constants,
/// and `gradient{g}` is that of the student's. Finite for any finite logits, with all digits where both nearly agree. With
/// reduction::none one value per row. O(n C).
/// @throws std::invalid_argument for empty tensors, different shapes, a gradient of another shape, a temperature that is not positive.
///
/// @code{.cpp}
/// const Eigen::MatrixXd student = Eigen::MatrixXd::Zero(2, 2), teacher = (Eigen::MatrixXd(2, 2) << std::log(3), 0, 0, 0).finished();
/// Eigen::MatrixXd g(2, 2);
/// const double value = distillation{}.value_and_gradient(student, teacher, gradient{g}); // KL of (3/4, 1/4) from (1/2, 1/2), halved
/// assert(std::abs(value - (0.75 * std::log(1.5) + 0.25 * std::log(0.5)) / 2) < 1e-15 && std::abs(g(0, 0) + 0.125) < 1e-15);
/// @endcode
template <reduction_policy Reduction = reduction::mean>
struct distillation : call_forms<distillation<Reduction>> {
  static constexpr const char* name = "distillation";
  static constexpr std::size_t arity = 2;
  static constexpr std::array<const char*, 2> argument_names = {"the student's logits", "the teacher's logits"};
  static constexpr bool recordable = !Reduction::per_sample;
  using differentiable = std::index_sequence<0>;

  double temperature;

  explicit distillation(double softening = 1, Reduction = {}) : temperature(softening) {}

  /// The operation that every form of call comes down to.
  template <class Call, class Y, class Teacher>
  auto evaluate(const Call& call, const Y& student, const Teacher& teacher) const {
    const auto out = call.template output<0>(gradient<value_type_of<Y>, memory_of<Y>>{});
    return run<Call>(call, out, student, teacher);
  }

private:
  template <class Call, class T, class Memory, class Y, class Teacher>
  reduced<T, Reduction> run(const Call& call, const gradient<T, Memory>& out, const Y& student, const Teacher& teacher) const {
    require_tensor_types<T, Memory, typename Call::execution_type, Y, Teacher>();
    const class_rows<const T, Memory> y = class_rows_of(student), fixed = class_rows_of(teacher);
    require_same_scores(name, y, fixed);
    require_gradient_shape(name, y.tensor, out.target);
    require_apart(name, {y.tensor, fixed.tensor}, {out.target});
    detail::require_positive(name, "the temperature", temperature);
    const workspace_scope scope(call.scratch);
    const T squared = static_cast<T>(temperature * temperature), sharpness = static_cast<T>(1 / temperature);
    return detail::reduce_rows<Reduction, T>(
        call.execution, y, 4,
        [&](T factor) {
          return detail::distillation_task<Call::wants_gradient, T, Memory>{y, fixed, out, squared * factor, sharpness};
        },
        call.scratch);
  }
};
distillation()->distillation<>;
distillation(double)->distillation<>;
template <class Reduction>
distillation(double, Reduction) -> distillation<Reduction>;

} // namespace dalib
