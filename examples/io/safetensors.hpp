#pragma once

#include "atomic_file.hpp"
#include "mapped_file.hpp"
#include "safetensors_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace dalib::io {

/// Largest header that is read, the limit of the format's reference implementation.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

namespace detail {

/// Sorts the tensors by place and requires that they fill the data exactly: no hole, no overlap, nothing outside.
inline void check_layout(safetensors_layout& layout, std::uint64_t data_size, const std::filesystem::path& name) {
  std::sort(layout.tensors.begin(), layout.tensors.end(),
            [](const tensor_entry& a, const tensor_entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::uint64_t expected_begin = 0;
  for (const tensor_entry& tensor : layout.tensors) {
    const std::string who = "tensor '" + tensor.name + "': ";
    const std::string place = "data_offsets [" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + "]";
    if (tensor.end < tensor.begin || tensor.end > data_size) {
      fail_file(name, who + place + " lie outside the " + std::to_string(data_size) + " bytes of data (is the file cut off?)");
    }
    if (tensor.begin != expected_begin) {
      fail_file(name, who + place + (tensor.begin < expected_begin ? " overlap another tensor" : " leave a hole before them"));
    }
    const auto bytes = byte_count(tensor.type, tensor.shape);
    if (!bytes || *bytes != tensor.end - tensor.begin) {
      fail_file(name, who + place + " do not fit shape " + to_string(tensor.shape) + " of " + std::string(info(tensor.type).name));
    }
    expected_begin = tensor.end;
  }
  if (expected_begin != data_size) {
    fail_file(name, "has " + std::to_string(data_size - expected_begin) + " bytes after the last tensor");
  }
}

/// Splits the file into header text and data and returns the checked layout and the data.
inline std::pair<safetensors_layout, std::span<const std::byte>> parse_safetensors(std::span<const std::byte> bytes,
                                                                                   const std::filesystem::path& name) {
  std::uint64_t header_size = 0;
  if (bytes.size() < sizeof header_size) fail_file(name, "is too short for a safetensors file");
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const std::uint64_t rest = bytes.size() - sizeof header_size;
  if (header_size > safetensors_header_limit || header_size > rest) {
    fail_file(name, "announces a header of " + std::to_string(header_size) + " bytes, but only " + std::to_string(rest) +
                        " follow and at most " + std::to_string(safetensors_header_limit) + " are allowed");
  }
  const auto header = bytes.subspan(sizeof header_size, static_cast<std::size_t>(header_size));
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (!text.starts_with('{')) fail_file(name, "is not a safetensors file: the header does not start with '{'");
  // The JSON parser takes a zero byte for the end of the text and would ignore what follows.
  if (text.find('\0') != std::string_view::npos) fail_file(name, "has a zero byte in the header");

  safetensors_header_parser parser;
  if (!nlohmann::json::sax_parse(text, &parser)) fail_file(name, parser.problem);
  const auto data = bytes.subspan(sizeof header_size + header.size());
  check_layout(parser.layout, data.size(), name);
  return {std::move(parser.layout), data};
}

} // namespace detail

/// Read-only safetensors file: named tensors and text metadata.
///
/// The file is mapped into memory and completely checked before the constructor returns: size and JSON of the header, names that appear
/// twice, element types (F64 F32 F16 BF16 I64 I32 U64 U8), offsets without hole or overlap that end with the file, and shapes whose
/// product is the byte count. Any violation throws std::runtime_error naming the file and the tensor. Movable.
class safetensors_file {
public:
  /// Maps and checks the file.
  explicit safetensors_file(const std::filesystem::path& path) : path_(path), file_(std::in_place, path) { load(file_->bytes()); }

  /// Checks a file that lies in memory, which must outlive the object; `name` stands in error messages.
  safetensors_file(std::span<const std::byte> bytes, const std::filesystem::path& name) : path_(name) { load(bytes); }

  /// All tensors in the order of their places in the file; they stay valid as long as this object or the one it was moved to.
  const std::vector<tensor_view>& tensors() const { return tensors_; }

  /// Tensor of that name or nullptr.
  const tensor_view* find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &tensors_[found->second];
  }

  /// Tensor of that name; throws std::runtime_error naming the file if there is none.
  const tensor_view& at(std::string_view name) const {
    const tensor_view* const found = find(name);
    if (found == nullptr) fail_file(path_, "has no tensor '" + std::string(name) + "'");
    return *found;
  }

  /// The header's text entries.
  const std::map<std::string, std::string>& metadata() const { return layout_.metadata; }

  /// Names, types, shapes and places as in the header.
  const safetensors_layout& layout() const { return layout_; }

  /// All bytes after the header.
  std::span<const std::byte> data() const { return data_; }

  const std::filesystem::path& path() const { return path_; }

private:
  void load(std::span<const std::byte> bytes) {
    std::tie(layout_, data_) = detail::parse_safetensors(bytes, path_);
    tensors_.reserve(layout_.tensors.size());
    for (const tensor_entry& entry : layout_.tensors) {
      const auto size = static_cast<std::size_t>(entry.end - entry.begin);
      index_.emplace(entry.name, tensors_.size());
      tensors_.push_back({entry.name, entry.type, entry.shape, data_.subspan(static_cast<std::size_t>(entry.begin), size)});
    }
  }

  std::filesystem::path path_;
  std::optional<mapped_file> file_;
  safetensors_layout layout_;
  std::span<const std::byte> data_;
  std::vector<tensor_view> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// Appends a tensor behind the last one of the layout.
/// Throws std::invalid_argument for a shape with a negative or overflowing size.
inline void append_tensor(safetensors_layout& layout, std::string name, dtype type, tensor_shape shape) {
  const auto bytes = byte_count(type, shape);
  if (!bytes) throw std::invalid_argument("tensor '" + name + "': impossible shape " + to_string(shape));
  const std::uint64_t begin = layout.tensors.empty() ? 0 : layout.tensors.back().end;
  layout.tensors.push_back({std::move(name), type, std::move(shape), begin, begin + *bytes});
}

/// The start of a safetensors file: header size and header, padded with spaces so that the data start at a multiple of 8.
inline std::string header_bytes(const safetensors_layout& layout) {
  std::string text = header_text(layout);
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
}

/// Writes tensors and metadata as a safetensors file, atomically (see atomic_file).
///
/// The tensors' bytes must hold what their type and shape say. Wide element types come first, so that every tensor is aligned.
/// Throws std::invalid_argument for a name that appears twice or bytes that do not fit the shape, std::runtime_error for file problems.
inline void write_safetensors(const std::filesystem::path& path, std::vector<tensor_view> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  std::stable_sort(tensors.begin(), tensors.end(),
                   [](const tensor_view& a, const tensor_view& b) { return info(a.type).size > info(b.type).size; });
  safetensors_layout layout{{}, metadata};
  std::set<std::string_view> names{"__metadata__"};
  for (const tensor_view& tensor : tensors) {
    append_tensor(layout, tensor.name, tensor.type, tensor.shape);
    const tensor_entry& entry = layout.tensors.back();
    if (entry.end - entry.begin != tensor.bytes.size()) {
      throw std::invalid_argument("tensor '" + tensor.name + "' of shape " + to_string(tensor.shape) + " has " +
                                  std::to_string(tensor.bytes.size()) + " bytes");
    }
    if (!names.insert(tensor.name).second) throw std::invalid_argument("tensor name '" + tensor.name + "' is reserved or appears twice");
  }
  atomic_file file(path);
  file.write(header_bytes(layout));
  for (const tensor_view& tensor : tensors) file.write(tensor.bytes);
  file.commit();
}

/// Describes values in the caller's memory as a tensor for write_safetensors; the memory must outlive the description.
template <storable T>
tensor_view make_tensor(std::string name, tensor_shape shape, std::span<const T> values) {
  return {std::move(name), dtype_of<T>(), std::move(shape), std::as_bytes(values)};
}

} // namespace dalib::io
