#pragma once

#include "safetensors.hpp"
#include "state.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::io {

/// Visitor that notes names, types and shapes of a state: the first step of saving.
/// Throws std::invalid_argument for a name that is used twice or reserved.
class state_layout : public state_visitor<state_layout> {
public:
  template <class T>
  void visit(const std::string& name, const tensor_shape& shape, std::span<T>) {
    if (!names_.insert(name).second) throw std::invalid_argument("visit_state: the name '" + name + "' is used twice");
    append_tensor(sizeof(T) == 8 ? wide_ : narrow_, name, dtype_of<T>(), shape);
  }

  /// Everything seen: first the elements of 8 bytes, then those of 4, each in the order of the visit, so that all are aligned.
  safetensors_layout layout() const {
    safetensors_layout result = wide_;
    for (const tensor_entry& entry : narrow_.tensors) append_tensor(result, entry.name, entry.type, entry.shape);
    return result;
  }

private:
  safetensors_layout wide_;   // elements of 8 bytes
  safetensors_layout narrow_; // elements of 4 bytes
  std::set<std::string> names_{"__metadata__"};
};

/// Visitor that hands the values of one element size to a sink, in the order of the visit. Nothing is copied.
/// @tparam Sink callable with std::span<const std::byte>
template <class Sink>
class state_writer : public state_visitor<state_writer<Sink>> {
public:
  state_writer(std::size_t element_size, Sink& sink) : element_size_(element_size), sink_(&sink) {}

  template <class T>
  void visit(const std::string&, const tensor_shape&, std::span<T> values) {
    if (sizeof(T) == element_size_) (*sink_)(std::as_bytes(values));
  }

private:
  std::size_t element_size_;
  Sink* sink_;
};

/// In what the tensors of a file and those that are wanted differ.
struct differences {
  std::vector<std::string> missing;    ///< wanted, not in the file
  std::vector<std::string> different;  ///< with what is different
  std::vector<std::string> unexpected; ///< in the file, not wanted

  /// Throws std::runtime_error "PATH: TITLE; missing: ...", if there are any.
  void require_none(const std::filesystem::path& path, const std::string& title) const {
    const std::string text = list("missing", missing) + list("different", different) + list("unexpected", unexpected);
    if (!text.empty()) fail_file(path, title + ";" + text);
  }

private:
  static std::string list(const std::string& title, const std::vector<std::string>& names) {
    constexpr std::size_t most = 20;
    std::string text = names.empty() ? "" : " " + title + ":";
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? " " : ", ") + names[i];
    if (names.size() > most) text += ", and " + std::to_string(names.size() - most) + " more";
    return names.empty() ? text : text + ";";
  }
};

/// Visitor that compares a state with the tensors of a file and changes nothing.
class state_checker : public state_visitor<state_checker> {
public:
  explicit state_checker(const safetensors_file& file) : file_(&file) {
    for (const tensor_view& tensor : file.tensors()) unexpected_.insert(tensor.name);
  }

  template <class T>
  void visit(const std::string& name, const tensor_shape& shape, std::span<T>) {
    unexpected_.erase(name);
    const tensor_view* const tensor = file_->find(name);
    if (tensor == nullptr) {
      found_.missing.push_back(name);
    } else if (tensor->type != dtype_of<T>() || tensor->shape != shape) {
      found_.different.push_back(name + " (" + std::string(info(tensor->type).name) + " " + to_string(tensor->shape) + " in the file, " +
                                 std::string(info(dtype_of<T>()).name) + " " + to_string(shape) + " here)");
    }
  }

  /// Throws std::runtime_error listing all missing, unexpected and different names, if there are any.
  void finish() const {
    differences all = found_;
    all.unexpected.assign(unexpected_.begin(), unexpected_.end());
    all.require_none(file_->path(), "does not fit what is to be restored");
  }

private:
  const safetensors_file* file_;
  std::set<std::string> unexpected_; // names in the file that were not visited yet
  differences found_;
};

/// Visitor that copies a file's tensors into the state; to be used after state_checker has passed. Throws where a tensor is missing.
class state_reader : public state_visitor<state_reader> {
public:
  explicit state_reader(const safetensors_file& file) : file_(&file) {}

  template <class T>
  void visit(const std::string& name, const tensor_shape&, std::span<T> values) {
    file_->at(name).copy_to(values);
  }

private:
  const safetensors_file* file_;
};

/// Copies all tensors of a file into an object's state, which is visited twice.
///
/// Names, element types and shapes must match exactly and are all compared before
/// anything is changed; std::runtime_error lists what is missing, different or unexpected.
template <class Object>
void restore_state(const safetensors_file& file, Object& object) {
  state_checker checker(file);
  object.visit_state(checker);
  checker.finish();
  state_reader reader(file);
  object.visit_state(reader);
}

/// Calls `sink(std::span<const std::byte>)` with all values of the state, in the order of state_layout::layout(). Visits the state twice.
template <class Object, class Sink>
void stream_state(Object& object, Sink sink) {
  for (const std::size_t element_size : {std::size_t{8}, std::size_t{4}}) {
    state_writer<Sink> writer(element_size, sink);
    object.visit_state(writer);
  }
}

} // namespace dalib::io
