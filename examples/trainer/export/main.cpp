// dalib_export: a model that dalib_train wrote, for other programs.

#include "onnx_graph.hpp"

#include "../../io/npy.hpp"
#include "../../io/random.hpp"
#include "../train/model_file.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

namespace dalib::exporter {
namespace {

constexpr const char* introduction =
    R"(Writes a model of dalib_train in the ONNX format, which onnxruntime and others run.

Example: dalib_export --model run --onnx model.onnx
Input "input" is (N, channels, height, width), or (N, columns) for features and tables, prepared as in training: images resized to side * 256 / 224,
their middle taken, divided by 255, ImageNet's mean subtracted and divided by its deviation. Outputs are "logits" (N, classes) and "features".)";

struct options {
  std::filesystem::path model, onnx;
  std::string example;
};

std::filesystem::path model_path(const std::filesystem::path& given) {
  return std::filesystem::is_directory(given) ? given / "model.safetensors" : given;
}

/// Three inputs of random numbers and what the network gives for them, for a comparison with another program.
void write_example(const options& o) {
  train::trained_model model(model_path(o.model));
  const data::image_geometry geometry = model.description().input.geometry();
  constexpr train::index_t count = 3;
  const train::index_t pixels = geometry.height * geometry.width, channels = geometry.channels;
  io::random_generator random(1);
  ad::tensor<float> input(count * pixels, channels);
  std::vector<float> as_written(static_cast<std::size_t>(count * pixels * channels)); // channels in front of pixels
  for (train::index_t i = 0; i < count; ++i)
    for (train::index_t p = 0; p < pixels; ++p)
      for (train::index_t c = 0; c < channels; ++c) {
        const auto value = static_cast<float>(random.normal());
        input.data()[(i * pixels + p) * channels + c] = value;
        as_written[static_cast<std::size_t>((i * channels + c) * pixels + p)] = value;
      }
  const auto output = model.predict(ad::constant(input, ad::geometry{count, geometry.height, geometry.width}));
  const bool values = model.description().input.kind == data::content::values;
  using shape = std::vector<std::int64_t>;
  const shape sizes = values ? shape{count, channels} : shape{count, channels, geometry.height, geometry.width};
  io::write_npy(o.example + "-input.npy", sizes, std::span<const float>(as_written));
  const auto write = [&](const char* name, const auto& matrix) {
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = matrix;
    io::write_npy(o.example + name, {rows.rows(), rows.cols()}, std::span<const float>(rows.data(), static_cast<std::size_t>(rows.size())));
  };
  write("-logits.npy", output.logits.value());
  write("-features.npy", output.features.value());
}

void run(const options& o) {
  const io::safetensors_file file(model_path(o.model));
  const train::model_description description = train::model_description_of(file.metadata(), file.path());
  std::string bytes;
  if (!onnx_model(description, file).SerializeToString(&bytes)) io::fail_file(o.onnx, "the model is too large for one ONNX file (2 GiB)");
  io::write_text_file(o.onnx, bytes);
  std::cout << "wrote " << o.onnx.string() << '\n';
  if (!o.example.empty()) write_example(o);
}

} // namespace
} // namespace dalib::exporter

int main(int argc, char** argv) {
  dalib::exporter::options options;
  CLI::App app(dalib::exporter::introduction, "dalib_export");
  app.add_option("-m,--model", options.model, "model.safetensors of a training run, or the run's folder")->required();
  app.add_option("--onnx", options.onnx, "File to write")->required();
  app.add_option("--example", options.example,
                 "Also write PREFIX-input.npy, -logits.npy and -features.npy: random inputs and what dalib gives");
  app.set_version_flag("--version", std::string("dalib_export of dalib ") + DALIB_VERSION);
  try {
    app.parse(argc, argv);
    dalib::exporter::run(options);
    return 0;
  } catch (const CLI::ParseError& error) {
    constexpr int wrong_arguments = 2;
    return app.exit(error) == 0 ? 0 : wrong_arguments;
  } catch (const std::exception& error) {
    std::cerr << "dalib_export: " << error.what() << '\n';
    return 1;
  }
}
