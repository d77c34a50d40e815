#pragma once
// The part of Python's pickle language that dictionaries of tensors are written in. Nothing is ever executed.

#include "file_error.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::io {

/// One object of a pickle. Objects refer to each other by their places in pickle::objects.
struct pickle_object {
  enum class kind { none, boolean, integer, number, text, tuple, list, dictionary, name, storage, tensor };
  kind type = kind::none;
  std::int64_t integer = 0; ///< of a boolean too
  double number = 0;
  std::string text;               ///< of a text; of a name "module.class"
  std::vector<std::size_t> items; ///< of a tuple or list; of a dictionary key, value, key, value ...; of storage and tensor what made them
};

/// All objects of a pickle, and which of them is the whole.
struct pickle {
  std::vector<pickle_object> objects;
  std::size_t root = 0;

  const pickle_object& at(std::size_t i) const { return objects[i]; }
};

/// Reads a pickle of protocols 2 to 5 that lies in memory.
///
/// Understood are None, booleans, integers, floating numbers, strings, tuples, lists, dictionaries, and what PyTorch writes for tensors:
/// names of storages, persistent references to storages, and calls of _rebuild_tensor_v2, _rebuild_parameter and OrderedDict(), which are
/// noted and not made. Attributes that are set on a dictionary are passed over. Everything else is refused by its name: a pickle is a
/// program, and a foreign name in it may be one that deletes files.
class pickle_reader {
public:
  pickle_reader(std::span<const std::byte> bytes, std::filesystem::path name) : rest_(bytes), name_(std::move(name)) {}

  /// Throws std::runtime_error starting with the file's name for what is refused, damaged or cut off. Memory is bounded by a multiple of
  /// the pickle's size.
  pickle read() {
    while (step()) {
    }
    if (stack_.size() != 1) fail("is damaged: the pickle ends with " + std::to_string(stack_.size()) + " objects in place of one");
    return {std::move(objects_), stack_.back()};
  }

private:
  using object = pickle_object;
  using kind = pickle_object::kind;

  [[noreturn]] void fail(const std::string& what) const { fail_file(name_, what); }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) fail("is cut off inside the pickle");
    const auto part = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return part;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const auto part = take(size);
    std::memcpy(&value, part.data(), size);
    return value;
  }
  std::string text(std::uint64_t size) {
    const auto part = take(size);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string line() {
    std::string result;
    for (char c = 0; (c = static_cast<char>(number(1))) != '\n';) result += c;
    return result;
  }

  void push(object made) {
    stack_.push_back(objects_.size());
    objects_.push_back(std::move(made));
  }
  void push_integer(std::int64_t value, kind type = kind::integer) { push({type, value, 0, {}, {}}); }
  void push_text(std::string value) { push({kind::text, 0, 0, std::move(value), {}}); }

  std::size_t pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) fail("is damaged: the pickle takes an object that is not there");
    const std::size_t top = stack_.back();
    stack_.pop_back();
    return top;
  }
  /// Everything above the last mark, in the order in which it came.
  std::vector<std::size_t> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) fail("is damaged: the pickle lacks a mark");
    std::vector<std::size_t> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  std::vector<std::size_t> pop_several(int count) {
    std::vector<std::size_t> items(static_cast<std::size_t>(count));
    for (auto place = items.rbegin(); place != items.rend(); ++place) *place = pop();
    return items;
  }
  void push_several(kind type, std::vector<std::size_t> items) { push({type, 0, 0, {}, std::move(items)}); }

  /// Appends to the list or dictionary on top of the stack.
  void extend(kind type, const std::vector<std::size_t>& items) {
    const std::size_t target = pop();
    stack_.push_back(target);
    if (objects_[target].type != type) fail("is damaged: the pickle fills what is no list or dictionary");
    if (type == kind::dictionary && items.size() % 2 != 0) fail("is damaged: a dictionary has a key without a value");
    objects_[target].items.insert(objects_[target].items.end(), items.begin(), items.end());
  }

  void remember(std::uint64_t key) {
    const std::size_t top = pop();
    stack_.push_back(top);
    if (key > objects_.size() + 64) fail("is damaged: the pickle's memory is used out of order");
    if (memory_.size() <= key) memory_.resize(static_cast<std::size_t>(key) + 1, nothing);
    memory_[static_cast<std::size_t>(key)] = top;
    ++remembered_;
  }
  void recall(std::uint64_t key) {
    if (key >= memory_.size() || memory_[static_cast<std::size_t>(key)] == nothing)
      fail("is damaged: the pickle refers to an object that it has not had");
    stack_.push_back(memory_[static_cast<std::size_t>(key)]);
  }

  /// A name of a Python object.
  void push_name(const std::string& module, const std::string& item) {
    const bool known = (module == "collections" && item == "OrderedDict") ||
                       (module == "torch._utils" && (item == "_rebuild_tensor_v2" || item == "_rebuild_parameter")) ||
                       (module == "torch" && item.ends_with("Storage"));
    if (!known)
      fail("holds the Python object '" + module + "." + item +
           "', which could run code; only tensors, dictionaries, strings and numbers are read");
    push({kind::name, 0, 0, module + "." + item, {}});
  }

  void call() {
    const std::size_t arguments = pop(), function = pop();
    const bool callable = objects_[function].type == kind::name && objects_[arguments].type == kind::tuple;
    if (!callable || objects_[arguments].items.size() > most_arguments) fail("is damaged: the pickle calls what is no function");
    const std::string name = objects_[function].text; // copies: making an object may move them
    std::vector<std::size_t> items = objects_[arguments].items;
    if (name == "collections.OrderedDict" && items.empty())
      push({kind::dictionary, 0, 0, {}, {}});
    else if (name == "torch._utils._rebuild_tensor_v2" && items.size() >= 6)
      push_several(kind::tensor, std::move(items));
    else if (name == "torch._utils._rebuild_parameter" && !items.empty() && objects_[items[0]].type == kind::tensor)
      stack_.push_back(items[0]);
    else
      fail("holds a call of '" + name + "' with arguments that PyTorch does not write");
  }

  void set_attributes() {
    pop();
    const std::size_t target = pop();
    stack_.push_back(target);
    if (objects_[target].type != kind::dictionary) fail("sets attributes of an object that is no dictionary");
  }

  /// One instruction; false at the end.
  bool step() {
    const auto code = static_cast<unsigned char>(number(1));
    switch (code) {
    case 0x80: // PROTO
      if (const std::uint64_t version = number(1); version < 2 || version > 5) fail("has the pickle protocol " + std::to_string(version));
      return true;
    case 0x95: // FRAME
      number(8);
      return true;
    case '.':
      return false;
    case 'N':
      return push({}), true;
    case 0x88:
    case 0x89:
      return push_integer(code == 0x88 ? 1 : 0, kind::boolean), true;
    case 'K':
      return push_integer(static_cast<std::int64_t>(number(1))), true;
    case 'M':
      return push_integer(static_cast<std::int64_t>(number(2))), true;
    case 'J':
      return push_integer(static_cast<std::int32_t>(number(4))), true;
    case 0x8a:
      return push_long(number(1)), true;
    case 'G': { // big-endian
      std::uint64_t bits = 0;
      for (const std::byte byte : take(8)) bits = bits << 8 | static_cast<std::uint64_t>(byte);
      return push({kind::number, 0, std::bit_cast<double>(bits), {}, {}}), true;
    }
    case 'X':
    case 'T':
      return push_text(text(number(4))), true;
    case 0x8c:
    case 'U':
      return push_text(text(number(1))), true;
    case ')':
      return push_several(kind::tuple, {}), true;
    case ']':
      return push_several(kind::list, {}), true;
    case '}':
      return push_several(kind::dictionary, {}), true;
    default:
      return step_structure(code);
    }
  }

  /// The instructions that put objects together.
  bool step_structure(unsigned char code) {
    switch (code) {
    case '(':
      return marks_.push_back(stack_.size()), true;
    case 't':
      return push_several(kind::tuple, pop_to_mark()), true;
    case 'l':
      return push_several(kind::list, pop_to_mark()), true;
    case 0x85:
    case 0x86:
    case 0x87:
      return push_several(kind::tuple, pop_several(code - 0x84)), true;
    case 'a':
      return extend(kind::list, {pop()}), true;
    case 'e':
      return extend(kind::list, pop_to_mark()), true;
    case 's':
      return extend(kind::dictionary, pop_several(2)), true;
    case 'u':
      return extend(kind::dictionary, pop_to_mark()), true;
    case 'q':
      return remember(number(1)), true;
    case 'r':
      return remember(number(4)), true;
    case 0x94:
      return remember(remembered_), true;
    case 'h':
      return recall(number(1)), true;
    case 'j':
      return recall(number(4)), true;
    case 'c': {
      const std::string module = line();
      return push_name(module, line()), true;
    }
    case 0x93: {
      const auto names = pop_several(2);
      if (objects_[names[0]].type != kind::text || objects_[names[1]].type != kind::text) fail("is damaged: a name is no string");
      return push_name(objects_[names[0]].text, objects_[names[1]].text), true;
    }
    case 'Q': {
      const std::size_t reference = pop();
      if (objects_[reference].type != kind::tuple || objects_[reference].items.size() > most_arguments)
        fail("is damaged: a reference to a storage is no tuple");
      std::vector<std::size_t> items = objects_[reference].items; // a copy: making an object may move it
      return push_several(kind::storage, std::move(items)), true;
    }
    case 'R':
      return call(), true;
    case 'b':
      return set_attributes(), true;
    default:
      refuse(code);
    }
  }

  void push_long(std::uint64_t size) {
    if (size > 8) fail("holds an integer of more than 64 bits");
    const auto part = take(size);
    std::uint64_t value = size > 0 && (static_cast<unsigned>(part.back()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    if (!part.empty()) std::memcpy(&value, part.data(), part.size());
    push_integer(static_cast<std::int64_t>(value));
  }

  [[noreturn]] void refuse(unsigned char code) const {
    static constexpr std::array<std::pair<unsigned char, const char*>, 8> makers{{{'i', "INST"},
                                                                                  {'o', "OBJ"},
                                                                                  {0x81, "NEWOBJ"},
                                                                                  {0x92, "NEWOBJ_EX"},
                                                                                  {0x82, "EXT1"},
                                                                                  {0x83, "EXT2"},
                                                                                  {0x84, "EXT4"},
                                                                                  {'P', "PERSID"}}};
    for (const auto& [known, text] : makers)
      if (known == code)
        fail(std::string("holds the pickle instruction ") + text + ", which makes objects of any class; such files are refused");
    fail("holds the pickle instruction " + std::to_string(code) + ", which a dictionary of tensors does not need");
  }

  static constexpr std::size_t most_arguments = 16; ///< what is copied is short, so that a hostile pickle cannot multiply it
  static constexpr std::size_t nothing = static_cast<std::size_t>(-1);
  std::span<const std::byte> rest_;
  std::filesystem::path name_;
  std::vector<object> objects_;
  std::vector<std::size_t> stack_, marks_, memory_;
  std::uint64_t remembered_ = 0;
};

} // namespace dalib::io
