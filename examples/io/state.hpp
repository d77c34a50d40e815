#pragma once

#include "tensor_view.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace dalib::io {

/// Base of everything that walks through the state of an object.
///
/// A stateful class has a member `template <class Visitor> void visit_state(Visitor&& visitor)` that calls
/// `visitor(name, shape, values)` for each piece of its state: a name unique within the object, the sizes of the dimensions, and a span
/// of double, float, std::int64_t or std::uint64_t in row-major order. The same member saves and restores: visitors read from the span
/// or write to it. It is called more than once and must name the same pieces every time. The values may lie in a local array that is
/// copied back after the call. Parts of an object are visited under a prefix, see scoped().
///
/// @tparam Derived has `template <class T> void visit(const std::string&, const tensor_shape&, std::span<T>)`
/// Throws std::invalid_argument if the shape's product is not the number of values.
template <class Derived>
class state_visitor {
public:
  void operator()(const std::string& name, const tensor_shape& shape, std::span<double> values) { check_and_visit(name, shape, values); }
  void operator()(const std::string& name, const tensor_shape& shape, std::span<float> values) { check_and_visit(name, shape, values); }
  void operator()(const std::string& name, const tensor_shape& shape, std::span<std::int64_t> values) {
    check_and_visit(name, shape, values);
  }
  void operator()(const std::string& name, const tensor_shape& shape, std::span<std::uint64_t> values) {
    check_and_visit(name, shape, values);
  }

private:
  template <class T>
  void check_and_visit(const std::string& name, const tensor_shape& shape, std::span<T> values) {
    if (byte_count(dtype_of<T>(), shape) != values.size_bytes()) {
      throw std::invalid_argument("visit_state: '" + name + "' of shape " + to_string(shape) + " comes with " +
                                  std::to_string(values.size()) + " values");
    }
    static_cast<Derived&>(*this).visit(name, shape, values);
  }
};

/// Passes everything on to another visitor with a prefix before the names.
template <class Visitor>
class scoped_visitor : public state_visitor<scoped_visitor<Visitor>> {
public:
  scoped_visitor(Visitor& visitor, std::string prefix) : visitor_(&visitor), prefix_(std::move(prefix)) {}

  template <class T>
  void visit(const std::string& name, const tensor_shape& shape, std::span<T> values) {
    (*visitor_)(prefix_ + name, shape, values);
  }

private:
  Visitor* visitor_;
  std::string prefix_;
};

/// The same visitor under a prefix: `source_loader.visit_state(scoped(visitor, "source_loader."))`.
template <class Visitor>
scoped_visitor<Visitor> scoped(Visitor& visitor, std::string prefix) {
  return {visitor, std::move(prefix)};
}

} // namespace dalib::io
