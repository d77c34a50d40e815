// dalib_features: images and weights in, features and labels out, as arrays for any other program.

#include "program.hpp"

#include "../data/image_files.hpp"
#include "../data/image_layouts.hpp"
#include "../../io/npy.hpp"
#include "../train/frozen_backbone.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <vector>

namespace dalib::features {
namespace {

constexpr const char* introduction =
    R"(Computes what a ResNet gives in front of its classifier for every image of a domain.

Example: dalib_features --data office31 --root DIR --domain amazon --arch resnet50 --weights resnet50.safetensors --out amazon
Writes PREFIX-features.npy (images x features, float32), PREFIX-labels.npy (int64) and PREFIX-images.txt (lines 'PATH LABEL') for the images in
the order of the list, or of the sorted folders. Images are resized to side * 256 / 224, of which the middle is taken.)";

struct options {
  std::string data = "image-list", domain, part = "train", root, unreadable = "stop";
  std::string arch = "resnet50", weights, out = "dalib";
  int classes = 0;
  std::ptrdiff_t side = 224;
};

void add_options(CLI::App& app, options& o) {
  app.add_option("--data", o.data, "image-list, office31, office-home, visda2017, domainnet")->capture_default_str();
  app.add_option("--root", o.root, "Folder of the images")->required();
  app.add_option("--domain", o.domain, "Domain of the data set; image-list: a file of lines 'PATH LABEL'")->required();
  app.add_option("--part", o.part, "train or test, where a domain has lists of both")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str();
  app.add_option("--classes", o.classes, "Number of classes, where it is not the data set's (0)")->check(CLI::Range(0, 100000));
  app.add_option("--arch", o.arch, "resnet18, resnet34, resnet50, resnet101")->capture_default_str();
  app.add_option("--weights", o.weights, "Safetensors file with torchvision's names, or of a classifier saved by dalib_train")->required();
  app.add_option("--image-side", o.side, "Height and width of the network's inputs")->check(CLI::Range(16, 1024))->capture_default_str();
  app.add_option("--unreadable", o.unreadable, "An image that cannot be read: 'stop', or 'skip' it and tell")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
  app.add_option("-o,--out", o.out, "Beginning of the names of the files that are written")->capture_default_str();
}

int run(const options& o) {
  const data::split part = o.part == "test" ? data::split::test : data::split::train;
  std::vector<std::string> class_names;
  const data::image_list list = data::find_images(o.data, o.domain, part, o.root, o.classes, class_names);
  train::frozen_backbone network({o.arch, o.weights, false});
  const data::unreadable_images unreadable{o.unreadable == "skip",
                                           [](const std::string& problem) { std::cerr << "skipped: " + problem + "\n"; }};
  const data::dataset images = data::make_image_dataset(o.domain, list, image::transform_for_side(o.side), unreadable);
  train::feature_set result = network.features_of(images);

  std::string kept;
  for (const Eigen::Index row : train::readable_rows(result.labels))
    kept += list.paths[static_cast<std::size_t>(row)].string() + " " + std::to_string(result.labels[static_cast<std::size_t>(row)]) + "\n";
  train::drop_unreadable(images, result.labels, {&result.features});
  const data::image_matrix rows = result.features;
  const std::vector<std::int64_t> labels(result.labels.begin(), result.labels.end());
  io::write_npy(o.out + "-features.npy", {rows.rows(), rows.cols()},
                std::span<const float>(rows.data(), static_cast<std::size_t>(rows.size())));
  io::write_npy(o.out + "-labels.npy", {rows.rows()}, std::span<const std::int64_t>(labels));
  io::write_text_file(o.out + "-images.txt", kept);
  std::cout << rows.rows() << " images, " << rows.cols() << " features: wrote " << o.out << "-features.npy, -labels.npy and -images.txt\n";
  return 0;
}

} // namespace

int run_command(int argc, const char* const* argv) {
  options settings;
  CLI::App app(introduction, "dalib_features");
  add_options(app, settings);
  try {
    app.parse(argc, argv);
    return run(settings);
  } catch (const CLI::ParseError& error) {
    constexpr int wrong_arguments = 2;
    return app.exit(error) == 0 ? 0 : wrong_arguments;
  } catch (const std::exception& error) {
    std::cerr << "dalib_features: " << error.what() << '\n';
    return 1;
  }
}

} // namespace dalib::features
