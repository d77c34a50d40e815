// Weights in safetensors files: into a network and back.
#include <bit>
#include <limits>

#include <doctest/doctest.h>
#include <nn/any_backbone.hpp>
#include <nn/weights.hpp>

#include "../data/files.hpp"

using namespace dalib;
using namespace file_tests;

namespace {

/// Tensors of a file with names, that can be changed before they are written.
struct tensor_file {
  std::map<std::string, std::pair<io::tensor_shape, std::vector<float>>> tensors;

  template <class Model>
  explicit tensor_file(Model& model) {
    nn::visit(model, [&](const std::string& name, auto& part) {
      const auto values = part.to_torch();
      tensors[name] = {part.torch_shape(), {values.begin(), values.end()}};
    });
  }
  void write(const fs::path& path) const {
    std::vector<io::tensor_view> list;
    for (const auto& [name, tensor] : tensors) list.push_back(io::make_tensor(name, tensor.first, std::span<const float>(tensor.second)));
    io::write_safetensors(path, list);
  }
};

nn::lenet_bn<float> small_network(std::uint64_t seed) {
  io::random_generator random(seed);
  return nn::lenet_bn<float>(1, 4, 6, 12, random);
}

template <class Model>
std::vector<std::vector<float>> all_values(Model& model) {
  std::vector<std::vector<float>> values;
  nn::visit(model, [&](const std::string&, auto& part) { values.push_back(part.to_torch()); });
  return values;
}

} // namespace

TEST_CASE("weights: written and read, in both precisions, surplus tensors passed over") {
  const temporary_folder folder;
  auto original = small_network(1), other = small_network(2);
  CHECK(all_values(original) != all_values(other));
  nn::save_weights(original, folder / "weights", {{"made", "here"}});
  nn::load_weights(other, folder / "weights");
  CHECK(all_values(original) == all_values(other));
  CHECK(io::safetensors_file(folder / "weights").metadata().at("made") == "here");

  tensor_file file(original);
  file.tensors["fc.weight"] = {{1, 2}, {1, 2}};
  file.tensors["bn1.num_batches_tracked"] = {{}, {7}};
  file.write(folder / "torchvision");
  io::random_generator random(3);
  nn::lenet_bn<double> wide(1, 4, 6, 12, random);
  nn::load_weights(wide, folder / "torchvision");
  CHECK(wide.conv1.weight.to_torch()[5] == static_cast<double>(original.conv1.weight.to_torch()[5]));
}

TEST_CASE("weights: a saved classifier's backbone") {
  const temporary_folder folder;
  auto original = small_network(1), other = small_network(2);
  tensor_file file(original), saved(original);
  saved.tensors.clear();
  for (const auto& [name, tensor] : file.tensors) saved.tensors["backbone." + name] = tensor;
  saved.tensors["head.weight"] = {{2}, {1, 2}};
  saved.write(folder / "model");
  nn::load_weights(other, folder / "model");
  CHECK(all_values(original) == all_values(other));
}

TEST_CASE("weights: half precision and bfloat16") {
  const temporary_folder folder;
  auto network = small_network(1);
  for (const io::dtype type : {io::dtype::f16, io::dtype::bf16}) {
    std::vector<io::tensor_view> list;
    std::map<std::string, std::vector<std::uint16_t>> kept;
    nn::visit(network, [&](const std::string& name, auto& part) {
      const std::uint16_t three = type == io::dtype::f16 ? 0x4200 : 0x4040;
      kept[name].assign(static_cast<std::size_t>(part.size()), three);
      list.push_back({name, type, part.torch_shape(), std::as_bytes(std::span(kept[name]))});
    });
    io::write_safetensors(folder / "half", list);
    auto other = small_network(2);
    nn::load_weights(other, folder / "half");
    for (const auto& values : all_values(other))
      for (const float value : values) REQUIRE(value == 3);
  }
}

TEST_CASE("weights: what does not fit is listed, and nothing is changed") {
  const temporary_folder folder;
  auto network = small_network(1);
  const auto before = all_values(network);
  const tensor_file good(network);
  const auto refused = [&](tensor_file file) {
    file.write(folder / "weights");
    const std::string problem = error_of([&] { nn::load_weights(network, folder / "weights"); });
    CHECK(all_values(network) == before);
    return problem;
  };
  tensor_file file = good;
  file.tensors.erase("conv2.bias");
  file.tensors.erase("bn1.running_var");
  file.tensors["bn2.weight"] = {{1}, {1}};
  file.tensors["conv1.bias"] = {{2, 2}, {1, 2, 3, 4}};
  const std::string problem = refused(file);
  CHECK(contains(problem, "weights: does not fit the network"));
  CHECK(contains(problem, "missing: bn1.running_var, conv2.bias;") + contains(problem, "missing: conv2.bias, bn1.running_var;") == 1);
  CHECK(contains(problem, "unexpected: bn2.weight;"));
  CHECK(contains(problem, "conv1.bias (F32 [2, 2] in the file, floating [4] here)"));

  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    file = good;
    file.tensors["conv2.weight"].second[17] = bad;
    CHECK(contains(refused(file), "weights: tensor 'conv2.weight' has a number that is NaN or infinite"));
  }
  good.write(folder / "good");
  std::string bytes = read_bytes(folder / "good");
  bytes[0] = static_cast<char>(bytes[0] + 1); // header length
  write_bytes(folder / "weights", bytes);
  CHECK(contains(error_of([&] { nn::load_weights(network, folder / "weights"); }), "weights: "));
  CHECK(contains(error_of([&] { nn::load_weights(network, folder / "none"); }), "none: cannot open"));
  CHECK(all_values(network) == before);
}

TEST_CASE("any backbone: parts, features and copies of the chosen one") {
  io::random_generator random(1);
  nn::any_backbone<float> chosen(nn::lenet<float>(random, 1, 28)), none(nn::no_backbone<float>(5));
  CHECK(chosen.out_features == 800);
  CHECK(none.out_features == 5);
  std::string names;
  nn::visit(chosen, [&](const std::string& name, auto&) { names += name + " "; });
  CHECK(names == "conv1.weight conv1.bias conv2.weight conv2.bias ");
  CHECK(nn::group_of<float>(none).parameters.empty());
  const auto x = ad::constant(ad::matrix<float>::Constant(28 * 28, 1, 0.5F), {1, 28, 28});
  const ad::matrix<float> before = chosen(x).value();
  nn::any_backbone<float> copy = chosen;
  nn::visit_parameters(chosen, [](const std::string&, auto& p) { p.variable().mutable_value().setZero(); });
  CHECK(chosen(x).value().isZero());
  CHECK(copy(x).value() == before);
}
