#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "module.hpp"

namespace dalib::nn {

/// A teacher that is the exponential average of its student (Tarvainen & Valpola 2017): after update k = 0, 1, ...
///   teacher = a * teacher + (1 - a) * student,   a = alpha, or min(1 - 1 / (k + 1), alpha) with `ramp`,
/// so that with the ramp the first update is a copy. Buffers, such as running statistics, are copied.
struct mean_teacher {
  double alpha = 0.99;
  bool ramp = true;
  std::int64_t updates = 0;

  double share() const { return ramp ? std::min(1 - 1 / static_cast<double>(updates + 1), alpha) : alpha; }

  /// Two models of one type and size.
  template <class Model>
  void update(Model& teacher, Model& student) {
    const double kept = share();
    std::vector<const void*> learned; // the student's parameters and buffers, in the order of the visit
    visit(student, [&](const std::string&, auto& item) { learned.push_back(&item); });
    std::size_t number = 0;
    visit(teacher, [&](const std::string& name, auto& item) {
      using part = std::remove_reference_t<decltype(item)>;
      if (number == learned.size()) throw std::invalid_argument("mean_teacher: the student has no " + name);
      const part& own = *static_cast<const part*>(learned[number++]);
      if (own.size() != item.size()) throw std::invalid_argument("mean_teacher: teacher and student differ in " + name);
      if constexpr (detail::is_parameter<part>::value) {
        using scalar = typename std::remove_cvref_t<decltype(item.to_torch())>::value_type;
        auto to = item.variable().mutable_value();
        to = static_cast<scalar>(kept) * to + static_cast<scalar>(1 - kept) * own.variable().value();
      } else {
        item = own;
      }
    });
    ++updates;
  }
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    visitor("updates", {}, std::span<std::int64_t>(&updates, 1));
  }
};

} // namespace dalib::nn
