#pragma once
// State of objects behind an interface: for checkpoints, and as snapshots by value.

#include "../../io/state.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dalib::train {

/// Any state visitor behind one type, so that virtual functions can take it.
class any_state_visitor : public io::state_visitor<any_state_visitor> {
public:
  using any_span = std::variant<std::span<double>, std::span<float>, std::span<std::int64_t>, std::span<std::uint64_t>>;

  /// Passes everything on to `visitor`, which must outlive this object.
  template <class Visitor>
  static any_state_visitor of(Visitor& visitor) {
    return any_state_visitor([&visitor](const std::string& name, const io::tensor_shape& shape, const any_span& values) {
      std::visit([&](auto span) { visitor(name, shape, span); }, values);
    });
  }

  template <class T>
  void visit(const std::string& name, const io::tensor_shape& shape, std::span<T> values) {
    pass_on_(name, shape, values);
  }

private:
  using function = std::function<void(const std::string&, const io::tensor_shape&, const any_span&)>;
  explicit any_state_visitor(function f) : pass_on_(std::move(f)) {}

  function pass_on_;
};

/// A copy of everything that an object shows to a state visitor. It is a value: later changes of the object do not touch it.
class state_snapshot {
public:
  template <class Object>
  static state_snapshot of(Object& object) {
    state_snapshot result;
    copier visitor(result.pieces_);
    object.visit_state(visitor);
    return result;
  }

  /// Copies the numbers back. Throws std::invalid_argument if the object shows other pieces than the one that was copied.
  template <class Object>
  void restore(Object& object) const {
    writer visitor(pieces_);
    object.visit_state(visitor);
  }

  /// The snapshot's own state: the copied pieces, under their names.
  template <class Visitor>
  void visit_state(Visitor&& visitor) {
    for (piece& p : pieces_) std::visit([&](auto& values) { visitor(p.name, p.shape, std::span(values)); }, p.values);
  }

private:
  struct piece {
    std::string name;
    io::tensor_shape shape;
    std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>, std::vector<std::uint64_t>> values;
  };

  class copier : public io::state_visitor<copier> {
  public:
    explicit copier(std::vector<piece>& to) : to_(&to) {}
    template <class T>
    void visit(const std::string& name, const io::tensor_shape& shape, std::span<T> values) {
      to_->push_back({name, shape, std::vector<T>(values.begin(), values.end())});
    }

  private:
    std::vector<piece>* to_;
  };

  class writer : public io::state_visitor<writer> {
  public:
    explicit writer(const std::vector<piece>& from) : from_(&from) {}
    template <class T>
    void visit(const std::string& name, const io::tensor_shape& shape, std::span<T> values) {
      const bool fits = next_ < from_->size() && (*from_)[next_].name == name && (*from_)[next_].shape == shape &&
                        std::holds_alternative<std::vector<T>>((*from_)[next_].values);
      if (!fits) throw std::invalid_argument("state_snapshot: the object has another state than the copied one, at '" + name + "'");
      const auto& saved = std::get<std::vector<T>>((*from_)[next_++].values);
      std::copy(saved.begin(), saved.end(), values.begin());
    }

  private:
    const std::vector<piece>* from_;
    std::size_t next_ = 0;
  };

  std::vector<piece> pieces_;
};

} // namespace dalib::train
