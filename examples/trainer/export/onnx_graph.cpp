#include "onnx_graph.hpp"

#include <set>
#include <string>
#include <vector>

namespace dalib::exporter {
namespace {

/// Adds nodes to a graph; every layer takes the name of a value and returns that of its result. Layers go by the names of their tensors.
class graph_builder {
public:
  graph_builder(onnx::GraphProto& graph, const io::safetensors_file& file) : graph_(graph), file_(file) {
    for (const io::tensor_view& tensor : file.tensors()) names_.insert(tensor.name);
  }

  bool has(const std::string& layer) const { return names_.contains(layer + ".weight"); }

  std::string relu(const std::string& x) { return result(add("Relu", {x})); }
  std::string sum(const std::string& x, const std::string& y) { return result(add("Add", {x, y})); }
  std::string flatten(const std::string& x) { return result(add("Flatten", {x})); }
  std::string average(const std::string& x) { return flatten(result(add("GlobalAveragePool", {x}))); }

  std::string max_pool(const std::string& x, long kernel, long stride, long padding) {
    onnx::NodeProto& node = add("MaxPool", {x});
    window(node, kernel, stride, padding);
    return result(node);
  }
  std::string conv(const std::string& x, const std::string& layer, long stride, long padding) {
    std::vector<std::string> inputs{x, constant(layer + ".weight")};
    if (names_.contains(layer + ".bias")) inputs.push_back(constant(layer + ".bias"));
    onnx::NodeProto& node = add("Conv", inputs);
    window(node, static_cast<long>(file_.at(layer + ".weight").shape.at(2)), stride, padding);
    return result(node);
  }
  std::string linear(const std::string& x, const std::string& layer) {
    onnx::NodeProto& node = add("Gemm", {x, constant(layer + ".weight"), constant(layer + ".bias")});
    onnx::AttributeProto& transposed = attribute(node, "transB", onnx::AttributeProto::INT);
    transposed.set_i(1);
    return result(node);
  }
  std::string batch_norm(const std::string& x, const std::string& layer) {
    onnx::NodeProto& node = add("BatchNormalization", {x, constant(layer + ".weight"), constant(layer + ".bias"),
                                                       constant(layer + ".running_mean"), constant(layer + ".running_var")});
    attribute(node, "epsilon", onnx::AttributeProto::FLOAT).set_f(1e-5f);
    return result(node);
  }
  /// Gives a value the name of an output.
  void output(const std::string& x, const std::string& name, long columns) {
    onnx::NodeProto& node = add("Identity", {x});
    node.add_output(name);
    declare(*graph_.add_output(), name, {columns});
  }
  /// A value of a free number of rows.
  static void declare(onnx::ValueInfoProto& value, const std::string& name, const std::vector<long>& sizes) {
    value.set_name(name);
    onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_param("N");
    for (const long size : sizes) type.mutable_shape()->add_dim()->set_dim_value(size);
  }
  long rows_of(const std::string& layer) const { return static_cast<long>(file_.at(layer + ".weight").shape.at(0)); }

private:
  onnx::NodeProto& add(const char* operation, const std::vector<std::string>& inputs) {
    onnx::NodeProto& node = *graph_.add_node();
    node.set_op_type(operation);
    node.set_name(std::string(operation) + "_" + std::to_string(graph_.node_size()));
    for (const std::string& input : inputs) node.add_input(input);
    return node;
  }
  static std::string result(onnx::NodeProto& node) {
    node.add_output(node.name() + "_result");
    return node.output(0);
  }
  static onnx::AttributeProto& attribute(onnx::NodeProto& node, const char* name, onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto& added = *node.add_attribute();
    added.set_name(name);
    added.set_type(type);
    return added;
  }
  static void window(onnx::NodeProto& node, long kernel, long stride, long padding) {
    const auto numbers = [&](const char* name, long value, int count) {
      onnx::AttributeProto& added = attribute(node, name, onnx::AttributeProto::INTS);
      for (int i = 0; i < count; ++i) added.add_ints(value);
    };
    numbers("kernel_shape", kernel, 2);
    numbers("strides", stride, 2);
    numbers("pads", padding, 4);
  }
  /// A tensor of the file as a constant of the graph, under its name.
  const std::string& constant(const std::string& name) {
    const io::tensor_view& tensor = file_.at(name);
    if (!added_.insert(name).second) return tensor.name;
    onnx::TensorProto& to = *graph_.add_initializer();
    to.set_name(name);
    to.set_data_type(onnx::TensorProto::FLOAT);
    for (const auto size : tensor.shape) to.add_dims(static_cast<long>(size));
    const std::vector<float> values = tensor.values<float>();
    to.set_raw_data(values.data(), values.size() * sizeof(float));
    return tensor.name;
  }

  onnx::GraphProto& graph_;
  const io::safetensors_file& file_;
  std::set<std::string> names_, added_;
};

/// The blocks of torchvision's ResNets; see nn::resnet.
std::string resnet(graph_builder& g, const std::string& images, const std::string& prefix) {
  std::string x = g.max_pool(g.relu(g.batch_norm(g.conv(images, prefix + "conv1", 2, 3), prefix + "bn1")), 3, 2, 1);
  for (int layer = 1; layer <= 4; ++layer)
    for (int number = 0;; ++number) {
      const std::string block = prefix + "layer" + std::to_string(layer) + "." + std::to_string(number) + ".";
      if (!g.has(block + "conv1")) break;
      const bool bottleneck = g.has(block + "conv3");
      const long stride = layer > 1 && number == 0 ? 2 : 1;
      const bool projects = g.has(block + "downsample.0");
      const std::string shortcut = projects ? g.batch_norm(g.conv(x, block + "downsample.0", stride, 0), block + "downsample.1") : x;
      std::string y = g.relu(g.batch_norm(g.conv(x, block + "conv1", bottleneck ? 1 : stride, bottleneck ? 0 : 1), block + "bn1"));
      y = g.batch_norm(g.conv(y, block + "conv2", bottleneck ? stride : 1, 1), block + "bn2");
      if (bottleneck) y = g.batch_norm(g.conv(g.relu(y), block + "conv3", 1, 0), block + "bn3");
      x = g.relu(g.sum(y, shortcut));
    }
  return g.average(x);
}

/// The backbone, whichever it is.
std::string backbone(graph_builder& g, const std::string& input, const std::string& prefix) {
  if (g.has(prefix + "bn1")) return resnet(g, input, prefix);
  if (g.has(prefix + "conv1")) {
    std::string x = input;
    for (const char* const layer : {"conv1", "conv2"}) x = g.relu(g.max_pool(g.conv(x, prefix + layer, 1, 0), 2, 2, 0));
    return g.flatten(x);
  }
  std::string x = input;
  for (const char* const layer : {"fc1", "fc2"})
    if (g.has(prefix + layer)) x = g.relu(g.linear(x, prefix + layer));
  return x;
}

} // namespace

onnx::ModelProto onnx_model(const train::model_description& description, const io::safetensors_file& file) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.set_producer_name("dalib");
  model.set_producer_version(description.version);
  model.add_opset_import()->set_version(13);
  const auto remark = [&](const char* key, const std::string& value) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  };
  for (const char* const key : {"classes", "input", "method"}) remark(key, file.metadata().at(key));

  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("dalib");
  graph_builder g(graph, file);
  const data::image_geometry geometry = description.input.geometry();
  const bool values = description.input.kind == data::content::values;
  const std::vector<long> images{geometry.channels, geometry.height, geometry.width};
  graph_builder::declare(*graph.add_input(), "input", values ? std::vector<long>{geometry.channels} : images);

  std::string features, logits, last;
  long columns = 0;
  if (g.has("F1.head.1")) { // MCD: the first head
    features = backbone(g, "input", "G.");
    columns = static_cast<long>(file.at("F1.head.1.weight").shape.at(1));
    std::string x = g.relu(g.batch_norm(g.linear(features, "F1.head.1"), "F1.head.2"));
    x = g.relu(g.batch_norm(g.linear(x, "F1.head.5"), "F1.head.6"));
    logits = g.linear(x, last = "F1.head.8");
  } else {
    features = backbone(g, "input", "backbone.");
    if (g.has("bottleneck.0")) {
      features = g.linear(features, "bottleneck.0");
      if (g.has("bottleneck.1")) features = g.batch_norm(features, "bottleneck.1");
      features = g.relu(features);
    }
    const bool two_layers = g.has("head.0"); // MDD
    columns = static_cast<long>(file.at(two_layers ? "head.0.weight" : "head.weight").shape.at(1));
    last = two_layers ? "head.3" : "head";
    logits = g.linear(two_layers ? g.relu(g.linear(features, "head.0")) : features, last);
  }
  g.output(logits, "logits", g.rows_of(last));
  g.output(features, "features", columns);
  return model;
}

} // namespace dalib::exporter
