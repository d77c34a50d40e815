#pragma once
// A network as an ONNX graph, from the tensors of a model file.

#include "../../io/safetensors.hpp"
#include "../train/model_description.hpp"

#include <onnx/onnx_pb.h>

namespace dalib::exporter {

/// The network of a model in evaluation mode. Input "input": images (N, channels, side, side) or vectors (N, width), prepared as the
/// network is shown them, N free; outputs "logits" (N, classes) and "features" (N, F), what is in front of the last layers. Opset 13.
/// Throws std::runtime_error naming the tensor that the file lacks.
onnx::ModelProto onnx_model(const train::model_description& description, const io::safetensors_file& file);

} // namespace dalib::exporter
