#pragma once
// PyTorch's own files of weights (.pth, .pt): a zip archive of a pickle and of the tensors' numbers.

#include "mapped_file.hpp"
#include "pickle.hpp"
#include "tensor_view.hpp"
#include "zip.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dalib::io {
namespace detail {

/// Names of PyTorch's storages and our element types.
inline constexpr std::array<std::pair<std::string_view, dtype>, 8> storage_types{{{"torch.FloatStorage", dtype::f32},
                                                                                  {"torch.DoubleStorage", dtype::f64},
                                                                                  {"torch.HalfStorage", dtype::f16},
                                                                                  {"torch.BFloat16Storage", dtype::bf16},
                                                                                  {"torch.LongStorage", dtype::i64},
                                                                                  {"torch.IntStorage", dtype::i32},
                                                                                  {"torch.ByteStorage", dtype::u8},
                                                                                  {"torch.BoolStorage", dtype::u8}}};

/// Turns the objects of a pickle into tensors.
class torch_tensors {
public:
  torch_tensors(const stored_zip& archive, std::string folder, pickle contents, const std::filesystem::path& name)
      : archive_(&archive), folder_(std::move(folder)), pickle_(std::move(contents)), name_(&name) {}

  /// The tensors of the dictionary, or of the one inside it that training scripts call so, in its order. Entries that are no tensors are
  /// passed over.
  std::vector<tensor_view> all() const {
    const pickle_object* dictionary = &pickle_.at(pickle_.root);
    if (dictionary->type != kind::dictionary) fail_file(*name_, "does not hold a dictionary of tensors (save model.state_dict())");
    for (const char* const inside : {"state_dict", "model_state_dict", "model"}) {
      const pickle_object* const found = entry(*dictionary, inside);
      if (found == nullptr || found->type != kind::dictionary) continue;
      dictionary = found;
      break;
    }
    std::vector<tensor_view> tensors;
    for (std::size_t i = 0; i + 1 < dictionary->items.size(); i += 2) {
      const pickle_object &key = pickle_.at(dictionary->items[i]), &value = pickle_.at(dictionary->items[i + 1]);
      if (key.type == kind::text && value.type == kind::tensor) tensors.push_back(tensor(key.text, value));
    }
    if (tensors.empty()) fail_file(*name_, "holds no tensors");
    return tensors;
  }

private:
  using kind = pickle_object::kind;

  const pickle_object* entry(const pickle_object& dictionary, std::string_view key) const {
    for (std::size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
      const pickle_object& name = pickle_.at(dictionary.items[i]);
      if (name.type == kind::text && name.text == key) return &pickle_.at(dictionary.items[i + 1]);
    }
    return nullptr;
  }

  std::int64_t integer(const std::string& tensor_name, std::size_t i) const {
    const pickle_object& o = pickle_.at(i);
    if (o.type != kind::integer || o.integer < 0) fail_file(*name_, "tensor '" + tensor_name + "' has a size or place that is no number");
    return o.integer;
  }

  tensor_shape sizes(const std::string& tensor_name, std::size_t i) const {
    const pickle_object& o = pickle_.at(i);
    constexpr std::size_t most = 64;
    if (o.type != kind::tuple || o.items.size() > most) fail_file(*name_, "tensor '" + tensor_name + "' has a damaged shape");
    tensor_shape shape;
    for (const std::size_t item : o.items) shape.push_back(integer(tensor_name, item));
    return shape;
  }

  /// (storage, offset, size, stride, ...) as PyTorch's _rebuild_tensor_v2 takes them.
  tensor_view tensor(const std::string& tensor_name, const pickle_object& made_of) const {
    const pickle_object& storage = pickle_.at(made_of.items[0]);
    if (storage.type != kind::storage || storage.items.size() < 3) fail_file(*name_, "tensor '" + tensor_name + "' has no storage");
    const pickle_object &type_name = pickle_.at(storage.items[1]), &key = pickle_.at(storage.items[2]);
    const auto type = std::find_if(storage_types.begin(), storage_types.end(), [&](const auto& t) { return t.first == type_name.text; });
    if (type == storage_types.end() || key.type != kind::text)
      fail_file(*name_, "tensor '" + tensor_name + "' is of the kind '" + type_name.text + "', which is not supported");
    const std::int64_t offset = integer(tensor_name, made_of.items[1]);
    tensor_shape shape = sizes(tensor_name, made_of.items[2]);
    const tensor_shape strides = sizes(tensor_name, made_of.items[3]);
    const auto bytes = byte_count(type->second, shape);
    const std::size_t element = info(type->second).size;
    if (!bytes || !in_order(shape, strides))
      fail_file(*name_, "tensor '" + tensor_name + "' of shape " + to_string(shape) +
                            " does not lie in the order of its sizes (save tensor.contiguous())");
    const auto numbers = archive_->at(folder_ + "data/" + key.text);
    const std::uint64_t begin = static_cast<std::uint64_t>(offset);
    if (begin > numbers.size() / element || *bytes > numbers.size() - begin * element)
      fail_file(*name_, "tensor '" + tensor_name + "' of shape " + to_string(shape) + " is larger than its storage");
    return {tensor_name, type->second, std::move(shape),
            numbers.subspan(static_cast<std::size_t>(begin) * element, static_cast<std::size_t>(*bytes))};
  }

  static bool in_order(const tensor_shape& shape, const tensor_shape& strides) {
    if (shape.size() != strides.size()) return false;
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] == 0) return true;
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i]; // cannot overflow: byte_count was asked before
    }
    return true;
  }

  const stored_zip* archive_;
  std::string folder_;
  pickle pickle_;
  const std::filesystem::path* name_;
};

} // namespace detail

/// How files of PyTorch before 1.6 begin.
inline constexpr std::string_view old_torch_magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);

/// Whether these are the first bytes of a file that parse_torch is for.
inline bool is_torch_file(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return stored_zip::is_zip(bytes) || text.starts_with(old_torch_magic);
}

/// The tensors of a .pth file that lies in memory, as views into its bytes.
///
/// Reads what torch.save writes since PyTorch 1.6 for a state_dict, or for a dictionary with one under `state_dict`, `model_state_dict` or
/// `model`. Nothing in the file is executed, see pickle_reader.
/// Throws std::runtime_error starting with `name` for everything else, and for damage.
inline std::vector<tensor_view> parse_torch(std::span<const std::byte> bytes, const std::filesystem::path& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(old_torch_magic))
    fail_file(name, "is in PyTorch's format before 1.6; torch.save(torch.load(...), ...) writes today's");
  const stored_zip archive(bytes, name);
  constexpr std::string_view wanted = "data.pkl";
  const std::string entry = archive.find_suffix(wanted);
  if (entry.empty()) fail_file(name, "is a zip archive but not of PyTorch: it has no data.pkl");
  const std::string folder = entry.substr(0, entry.size() - wanted.size());
  if (archive.contains(folder + "byteorder")) {
    const auto order = archive.at(folder + "byteorder");
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little") fail_file(name, "is not little-endian");
  }
  return detail::torch_tensors(archive, folder, pickle_reader(archive.at(entry), name).read(), name).all();
}

/// A .pth file mapped into memory; errors as parse_torch.
class torch_file {
public:
  explicit torch_file(const std::filesystem::path& path) : file_(path), tensors_(parse_torch(file_.bytes(), path)) {}

  /// Valid as long as this object or the one it was moved to.
  const std::vector<tensor_view>& tensors() const { return tensors_; }

private:
  mapped_file file_;
  std::vector<tensor_view> tensors_;
};

} // namespace dalib::io
