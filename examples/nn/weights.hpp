#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../io/state_file.hpp"
#include "../io/torch_file.hpp"
#include "module.hpp"

namespace dalib::nn {
namespace detail {

/// Whether a tensor of a weights file may be there without a place in the model: PyTorch's counter of batches, and the classifier of
/// torchvision's networks, which a backbone does not have.
inline bool is_surplus(std::string_view name) {
  return name.ends_with(".num_batches_tracked") || name == "num_batches_tracked" || name == "fc.weight" || name == "fc.bias";
}

inline bool is_floating(io::dtype type) {
  return type == io::dtype::f64 || type == io::dtype::f32 || type == io::dtype::f16 || type == io::dtype::bf16;
}
} // namespace detail

/// Sets a model's parameters and buffers to tensors of a file with PyTorch's names and shapes.
///
/// Tensors are float64, float32, float16 or bfloat16, and are converted. Everything is checked before anything is changed: names, shapes,
/// types, and that all numbers are finite. A file whose names start with `backbone.` (what a trained classifier is saved as) gives that
/// part. Surplus classifiers `fc` and batch counters are passed over. Throws std::runtime_error naming the file that lists what is missing,
/// different and unexpected, or the tensor with the number that is not finite.
template <class Model>
void load_weights(Model& model, std::span<const io::tensor_view> all, const std::filesystem::path& path) {
  constexpr std::string_view saved_prefix = "backbone.";
  const bool saved =
      std::any_of(all.begin(), all.end(), [&](const io::tensor_view& tensor) { return tensor.name.starts_with(saved_prefix); });
  std::map<std::string, const io::tensor_view*> tensors; // by the model's names
  for (const io::tensor_view& tensor : all) {
    if (saved && !tensor.name.starts_with(saved_prefix)) continue;
    tensors.emplace(saved ? tensor.name.substr(saved_prefix.size()) : tensor.name, &tensor);
  }

  io::differences found;
  std::map<std::string, const io::tensor_view*> unused = tensors;
  visit(model, [&](const std::string& name, auto& part) {
    unused.erase(name);
    const auto place = tensors.find(name);
    if (place == tensors.end()) {
      found.missing.push_back(name);
      return;
    }
    const io::tensor_view& tensor = *place->second;
    if (tensor.shape != part.torch_shape() || !detail::is_floating(tensor.type))
      found.different.push_back(name + " (" + std::string(io::info(tensor.type).name) + " " + io::to_string(tensor.shape) +
                                " in the file, floating " + io::to_string(part.torch_shape()) + " here)");
  });
  for (const auto& [name, tensor] : unused)
    if (!detail::is_surplus(name)) found.unexpected.push_back(name);
  found.require_none(path, "does not fit the network");

  std::map<std::string, std::vector<double>> values;
  visit(model, [&](const std::string& name, auto&) {
    std::vector<double>& numbers = values[name] = tensors.at(name)->template values<double>();
    if (!std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); }))
      io::fail_file(path, "tensor '" + name + "' has a number that is NaN or infinite");
  });
  visit(model, [&](const std::string& name, auto& part) { part.from_torch(std::span<const double>(values.at(name))); });
}

template <class Model>
void load_weights(Model& model, const io::safetensors_file& file) {
  load_weights(model, file.tensors(), file.path());
}

/// The same from a file, which is mapped into memory: safetensors, or PyTorch's own .pth, which the first bytes tell.
template <class Model>
void load_weights(Model& model, const std::filesystem::path& path) {
  if (io::is_torch_file(io::mapped_file(path).bytes()))
    load_weights(model, io::torch_file(path).tensors(), path);
  else
    load_weights(model, io::safetensors_file(path));
}

/// Writes a model's parameters and buffers as a safetensors file with PyTorch's names and shapes, atomically.
template <class Model>
void save_weights(Model& model, const std::filesystem::path& path, const std::map<std::string, std::string>& metadata = {}) {
  std::map<std::string, std::vector<std::byte>> bytes; // what the descriptions point into
  std::vector<io::tensor_view> tensors;
  visit(model, [&](const std::string& name, auto& part) {
    const auto values = part.to_torch();
    const auto raw = std::as_bytes(std::span(values));
    std::vector<std::byte>& kept = bytes[name];
    kept.assign(raw.begin(), raw.end());
    tensors.push_back({name, io::dtype_of<typename std::decay_t<decltype(values)>::value_type>(), part.torch_shape(), kept});
  });
  io::write_safetensors(path, std::move(tensors), metadata);
}

} // namespace dalib::nn
