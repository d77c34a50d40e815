#pragma once

#include "state_file.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <zlib.h>

namespace dalib::io {

/// What a checkpoint says about itself besides the state.
struct checkpoint_info {
  std::string method; ///< name of the training method
  std::string config; ///< complete settings of the run as JSON text
};

inline constexpr const char* checkpoint_format = "dalib-checkpoint";
inline constexpr const char* checkpoint_version = "1";

namespace detail {

inline std::uint32_t extend_crc32(std::uint32_t crc, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Checksum of the header without its checksum entry; to be extended over the data.
inline std::uint32_t header_crc32(safetensors_layout layout) {
  layout.metadata.erase("crc32");
  const std::string text = header_text(layout);
  return extend_crc32(0, std::as_bytes(std::span(text)));
}

inline std::string to_hex(std::uint32_t value) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(value));
  return text.data();
}

inline std::filesystem::path previous_path(const std::filesystem::path& path) { return follow_links(path) += ".previous"; }

} // namespace detail

/// A checkpoint that was read and found intact: a safetensors file with the whole training state, what it says about itself, and a CRC32
/// of header and data.
class checkpoint {
public:
  /// Throws std::runtime_error naming the file if it cannot be read, is no valid safetensors file, is no checkpoint of this version, or
  /// does not have the checksum it states.
  explicit checkpoint(const std::filesystem::path& path) : file_(path) { verify(); }

  /// The same for a file in memory, which must outlive the object.
  checkpoint(std::span<const std::byte> bytes, const std::filesystem::path& name) : file_(bytes, name) { verify(); }

  const checkpoint_info& info() const { return info_; }
  const safetensors_file& file() const { return file_; }

  /// Copies the saved state into an object; errors as restore_state, all or nothing.
  template <class Object>
  void restore(Object& object) const {
    restore_state(file_, object);
  }

private:
  const std::string& entry(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end()) fail_file(file_.path(), "is not a checkpoint: the metadata entry '" + key + "' is missing");
    return found->second;
  }

  void verify() {
    if (entry("format") != checkpoint_format) fail_file(file_.path(), "is not a checkpoint but '" + entry("format") + "'");
    if (entry("version") != checkpoint_version) fail_file(file_.path(), "has the unknown checkpoint version '" + entry("version") + "'");
    if (entry("crc32") != detail::to_hex(detail::extend_crc32(detail::header_crc32(file_.layout()), file_.data()))) {
      fail_file(file_.path(), "is damaged: its contents do not have the checksum " + entry("crc32"));
    }
    info_ = {entry("method"), entry("config")};
    if (!nlohmann::json::accept(info_.config)) fail_file(file_.path(), "is damaged: the config is not valid JSON");
  }

  safetensors_file file_;
  checkpoint_info info_;
};

/// Saves the complete state of an object as a checkpoint, atomically.
///
/// The new file is completely on disk before anything changes; then an intact PATH becomes PATH.previous, and the new file PATH. So at
/// every moment there is an intact checkpoint under one of the two names, whenever the process is killed or the power fails. A
/// damaged PATH is never moved over a good PATH.previous. The state is streamed, not copied; verifying the old file costs one read of it.
///
/// @param object anything with visit_state (see state_visitor)
/// Throws std::invalid_argument for a config that is not JSON or names used twice, std::runtime_error for file problems.
template <class Object>
void save_checkpoint(const std::filesystem::path& name, Object& object, const checkpoint_info& info) {
  const std::filesystem::path path = follow_links(name);
  if (!nlohmann::json::accept(info.config)) throw std::invalid_argument("save_checkpoint: the config is not valid JSON");
  state_layout visitor;
  object.visit_state(visitor);
  safetensors_layout layout = visitor.layout();
  layout.metadata = {{"format", checkpoint_format}, {"version", checkpoint_version}, {"method", info.method}, {"config", info.config}};
  std::uint32_t crc = detail::header_crc32(layout);
  stream_state(object, [&](std::span<const std::byte> bytes) { crc = detail::extend_crc32(crc, bytes); });
  layout.metadata["crc32"] = detail::to_hex(crc);

  atomic_file file(path);
  file.write(header_bytes(layout));
  stream_state(object, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.sync();

  bool intact = true;
  try {
    checkpoint{path};
  } catch (const std::runtime_error&) {
    intact = false;
  }
  if (intact) std::filesystem::rename(path, detail::previous_path(path));
  file.commit();
}

/// True if there is a file that load_checkpoint would try.
inline bool checkpoint_exists(const std::filesystem::path& path) {
  return std::filesystem::exists(path) || std::filesystem::exists(detail::previous_path(path));
}

/// A checkpoint and, where the newest file could not be used, a sentence for the user that says so.
struct loaded_checkpoint {
  checkpoint contents;
  std::string message;
};

/// Reads the newest intact checkpoint: PATH, else PATH.previous.
/// Throws std::runtime_error with what is wrong with both files if neither is usable.
inline loaded_checkpoint load_checkpoint(const std::filesystem::path& path) {
  std::string problem;
  try {
    return {checkpoint(path), ""};
  } catch (const std::runtime_error& error) {
    problem = error.what();
  }
  const std::filesystem::path previous = detail::previous_path(path);
  try {
    return {checkpoint(previous), problem + "; the previous checkpoint " + previous.string() + " is used instead"};
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("no usable checkpoint: " + problem + "; " + error.what());
  }
}

} // namespace dalib::io
