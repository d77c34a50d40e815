#pragma once
// The first rank's state for all.

#include "../../distributed/ranks.hpp"
#include "../../io/state.hpp"

#include <span>
#include <string>

namespace dalib::distributed {

/// A state visitor that gives every rank the numbers of the first. All must show the same pieces.
class state_broadcast : public io::state_visitor<state_broadcast> {
public:
  template <class T>
  void visit(const std::string&, const io::tensor_shape&, std::span<T> values) {
    ranks::all().broadcast(values.data(), values.size_bytes());
  }
};

/// @param object anything with visit_state
template <class Object>
void broadcast_state(Object& object) {
  if (ranks::all().alone()) return;
  state_broadcast visitor;
  object.visit_state(visitor);
}

} // namespace dalib::distributed
