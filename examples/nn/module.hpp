#pragma once
#include <type_traits>

#include "../io/state.hpp"
#include "parameter.hpp"

/// A layer or model is a struct with a call operator and a member
///   template <class Visitor> void parts(Visitor&& f)  that calls f("name", part) for each of its parts:
/// parameters, buffers, other layers, and anything with visit_state (random generators, counters). The rest follows from that.
namespace dalib::nn {
namespace detail {
template <class Part>
struct is_tensor : std::false_type {};
template <class Scalar>
struct is_tensor<parameter<Scalar>> : std::true_type {};
template <class Scalar>
struct is_tensor<buffer<Scalar>> : std::true_type {};
template <class Part>
struct is_parameter : std::false_type {};
template <class Scalar>
struct is_parameter<parameter<Scalar>> : std::true_type {};

struct ignore_parts {
  template <class Part>
  void operator()(const std::string&, Part&) const {}
};
template <class Part>
inline constexpr bool has_parts = requires(Part& part) {
  part.parts(ignore_parts{});
};
} // namespace detail

/// Calls f(full name, leaf) for all parameters, buffers and other state below `object`.
template <class Object, class Function>
void visit_leaves(Object& object, Function&& f, const std::string& prefix = {}) {
  object.parts([&](const std::string& name, auto& part) {
    if constexpr (detail::has_parts<std::remove_reference_t<decltype(part)>>)
      visit_leaves(part, f, prefix + name + ".");
    else
      f(prefix + name, part);
  });
}

/// Calls f(full name, item) for all parameters and buffers, under PyTorch's names. Both have torch_shape(), to_torch(), from_torch().
template <class Object, class Function>
void visit(Object& object, Function&& f, const std::string& prefix = {}) {
  visit_leaves(
      object,
      [&](const std::string& name, auto& part) {
        if constexpr (detail::is_tensor<std::remove_reference_t<decltype(part)>>::value) f(name, part);
      },
      prefix);
}

/// Calls f(full name, parameter) for all parameters.
template <class Object, class Function>
void visit_parameters(Object& object, Function&& f, const std::string& prefix = {}) {
  visit_leaves(
      object,
      [&](const std::string& name, auto& part) {
        if constexpr (detail::is_parameter<std::remove_reference_t<decltype(part)>>::value) f(name, part);
      },
      prefix);
}

/// Training (dropout, batch statistics) or evaluation for a whole model. New models train.
template <class Object>
void set_training(Object& object, bool on) {
  if constexpr (requires { object.training; }) object.training = on;
  object.parts([&](const std::string&, auto& part) {
    if constexpr (detail::has_parts<std::remove_reference_t<decltype(part)>>) set_training(part, on);
  });
}

/// Lets the parameters of a model take gradients or not; saves the work where another part of the network is trained.
template <class Object>
void set_requires_gradient(Object& object, bool on) {
  visit_parameters(object, [&](const std::string&, auto& p) { p.variable().set_requires_gradient(on); });
}

/// Shows everything a checkpoint needs to an io::state_visitor: parameters and buffers in PyTorch's names and layout, and the
/// state of dropout generators and schedules.
template <class Object, class Visitor>
void visit_state(Object& object, Visitor& visitor, const std::string& prefix = {}) {
  visit_leaves(
      object,
      [&](const std::string& name, auto& part) {
        if constexpr (detail::is_tensor<std::remove_reference_t<decltype(part)>>::value) {
          auto values = part.to_torch();
          using scalar = typename decltype(values)::value_type;
          visitor(name, part.torch_shape(), std::span<scalar>(values));
          part.from_torch(std::span<const scalar>(values));
        } else {
          auto inner = io::scoped(visitor, name + ".");
          part.visit_state(inner);
        }
      },
      prefix);
}

/// The parameters that an optimiser updates with one learning rate.
template <class Scalar>
struct parameter_group {
  std::vector<ad::variable<Scalar>> parameters;
  double multiplier = 1; ///< of the optimiser's learning rate
};

/// Forgets the gradients of all parameters.
template <class Scalar>
void clear_gradients(const std::vector<parameter_group<Scalar>>& groups) {
  for (const auto& group : groups)
    for (const auto& p : group.parameters) p.clear_gradient();
}

/// All parameters of a model as one group.
template <class Scalar, class Object>
parameter_group<Scalar> group_of(Object& object, double multiplier = 1) {
  parameter_group<Scalar> group{{}, multiplier};
  visit_parameters(object, [&](const std::string&, parameter<Scalar>& p) { group.parameters.push_back(p.variable()); });
  return group;
}

} // namespace dalib::nn
