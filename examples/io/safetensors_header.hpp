#pragma once

#include "tensor_view.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dalib::io {

/// Name, type, shape and place of one tensor; `begin` and `end` count bytes from the end of the header.
struct tensor_entry {
  std::string name;
  dtype type = dtype::f32;
  tensor_shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What the header of a safetensors file says.
struct safetensors_layout {
  std::vector<tensor_entry> tensors;
  std::map<std::string, std::string> metadata;
};

/// The header's JSON text for a layout, without the padding; equal layouts give equal texts.
/// Throws nlohmann::json::exception if a name or a metadata string is not UTF-8.
inline std::string header_text(const safetensors_layout& layout) {
  // Put together by hand: a JSON object that keeps its order finds each key in linear time.
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
  std::string text = "{";
  if (!layout.metadata.empty()) text += "\"__metadata__\":" + nlohmann::json(layout.metadata).dump();
  for (const tensor_entry& tensor : layout.tensors) {
    text += text.size() > 1 ? "," : "";
    text += quoted(tensor.name) + ":{\"dtype\":\"" + std::string(info(tensor.type).name) + "\",\"shape\":";
    text += nlohmann::json(tensor.shape).dump() + ",\"data_offsets\":[";
    text += std::to_string(tensor.begin) + "," + std::to_string(tensor.end) + "]}";
  }
  return text + "}";
}

/// Receives the events of the JSON parser and builds the layout of
/// `{"__metadata__": {KEY: TEXT, ...}, NAME: {"dtype": TYPE, "shape": [SIZE, ...], "data_offsets": [BEGIN, END]}, ...}`.
///
/// Anything else stops the parser at once, so a hostile header cannot make it collect more than the header's own size, and names that
/// appear twice are seen, which a parsed JSON object would hide. To be handed to nlohmann::json::sax_parse; whether the offsets fit the
/// data is not checked here.
class safetensors_header_parser : public nlohmann::json_sax<nlohmann::json> {
public:
  safetensors_layout layout;
  std::string problem; ///< why parsing stopped; empty while all is well

  /// A name: of a tensor, of a metadata text or of one of the three entries of a tensor.
  bool key(string_t& name) override {
    key_ = name;
    if (place_ == place::top) return name == "__metadata__" ? begin_metadata() : begin_tensor(name);
    if (place_ == place::metadata) return true;
    if (name != "dtype" && name != "shape" && name != "data_offsets") return fail("unknown entry '" + name + "'");
    return seen_.insert(name).second || fail("entry '" + name + "' appears twice");
  }

  /// A metadata text or a dtype.
  bool string(string_t& value) override {
    if (place_ == place::metadata) {
      return layout.metadata.emplace(key_, value).second || fail("metadata entry '" + key_ + "' appears twice");
    }
    if (place_ != place::tensor || key_ != "dtype") return unexpected("a string");
    const auto type = find_dtype(value);
    if (!type) return fail("unsupported dtype '" + value + "'");
    layout.tensors.back().type = *type;
    return true;
  }

  /// A size of a shape or an offset.
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == place::shape) return add_size(value);
    if (place_ == place::offsets) return add_offset(value);
    return unexpected("a number");
  }

  bool start_object(std::size_t) override {
    if (place_ == place::outside)
      place_ = place::top;
    else if (place_ == place::top && key_ == "__metadata__")
      place_ = place::metadata;
    else if (place_ == place::top)
      place_ = place::tensor;
    else
      return unexpected("an object");
    return true;
  }

  bool end_object() override {
    if (place_ == place::tensor && (seen_.size() != 3 || offset_count_ != 2)) return fail("dtype, shape or data_offsets is missing");
    place_ = place_ == place::top ? place::outside : place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == place::tensor && key_ == "shape")
      place_ = place::shape;
    else if (place_ == place::tensor && key_ == "data_offsets")
      place_ = place::offsets;
    else
      return unexpected("an array");
    return true;
  }

  bool end_array() override {
    place_ = place::tensor;
    return true;
  }

  // What appears nowhere in a valid header.
  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a fraction"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail("not valid JSON at byte " + std::to_string(position) + " of the header");
  }

private:
  // Where in the structure the parser stands.
  enum class place { outside, top, metadata, tensor, shape, offsets };

  bool fail(const std::string& what) {
    const bool inside_tensor = place_ == place::tensor || place_ == place::shape || place_ == place::offsets;
    problem = inside_tensor ? "tensor '" + layout.tensors.back().name + "': " + what : what;
    return false;
  }
  bool unexpected(const std::string& what) { return fail(what + " stands in the header where none belongs"); }

  bool begin_metadata() {
    if (has_metadata_) return fail("'__metadata__' appears twice");
    has_metadata_ = true;
    return true;
  }

  bool begin_tensor(const std::string& name) {
    if (!names_.insert(name).second) return fail("tensor '" + name + "' appears twice");
    layout.tensors.push_back({name, dtype::f32, {}, 0, 0});
    seen_.clear();
    offset_count_ = 0;
    return true;
  }

  bool add_size(std::uint64_t size) {
    constexpr std::size_t largest_rank = 64;
    if (layout.tensors.back().shape.size() == largest_rank) return fail("more than 64 dimensions");
    if (!std::in_range<std::int64_t>(size)) return fail("the size " + std::to_string(size) + " is too large");
    layout.tensors.back().shape.push_back(static_cast<std::int64_t>(size));
    return true;
  }

  bool add_offset(std::uint64_t offset) {
    if (offset_count_ == 2) return fail("data_offsets holds more than two numbers");
    (offset_count_ == 0 ? layout.tensors.back().begin : layout.tensors.back().end) = offset;
    ++offset_count_;
    return true;
  }

  place place_ = place::outside;
  std::string key_; // the latest one, so the one that a value belongs to
  bool has_metadata_ = false;
  std::set<std::string> names_;
  std::set<std::string> seen_; // entries of the current tensor
  int offset_count_ = 0;       // how many of its data_offsets were read
};

} // namespace dalib::io
