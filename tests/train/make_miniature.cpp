// Usage: make_miniature FOLDER. Writes a miniature of each image data set's layout below the folder: three classes of digits, MNIST as JPEG
// for one domain, digits on photographs as PNG for the other. And random weights of a ResNet-18 as weights.safetensors.

#include "data/digits.hpp"
#include "nn/resnet.hpp"
#include "nn/weights.hpp"
#include "support/write_image.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <string>

using namespace dalib;
namespace fs = std::filesystem;

namespace {

constexpr int classes = 3, images_per_class = 8;

/// An image of a digits data set as a file holds it.
image::rgb_image picture_of(const data::dataset& digits, Eigen::Index row) {
  image::rgb_image result(digits.geometry.width, digits.geometry.height);
  for (Eigen::Index p = 0; p < digits.geometry.size(); ++p)
    for (int c = 0; c < 3; ++c)
      result.pixels[static_cast<std::size_t>(3 * p + c)] = static_cast<std::uint8_t>(std::lround(127.5F * (digits.images(row, p) + 1)));
  return result;
}

/// Class folders below ROOT/FOLDER with every image_per_class-th digits from `skipped` on; returns the lines of an image list.
std::string write_domain(const data::dataset& digits, const fs::path& root, const fs::path& folder, bool jpeg, int skipped = 0) {
  std::array<int, classes> seen{};
  std::string lines;
  for (Eigen::Index row = 0; row < digits.size(); ++row) {
    const int label = digits.labels[static_cast<std::size_t>(row)];
    if (label >= classes) continue;
    const int number = seen[static_cast<std::size_t>(label)]++;
    if (number < skipped || number >= skipped + images_per_class) continue;
    const fs::path path = folder / ("digit " + std::to_string(label)) / (std::to_string(number) + (jpeg ? ".jpg" : ".png"));
    fs::create_directories((root / path).parent_path());
    if (jpeg)
      test_images::write_jpeg(root / path, picture_of(digits, row));
    else
      test_images::write_png(root / path, picture_of(digits, row));
    lines += path.string() + " " + std::to_string(label) + "\n";
  }
  return lines;
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "Usage: make_miniature FOLDER\n";
    return 2;
  }
  const fs::path folder = argv[1];
  const data::dataset plain = data::load_digits("mnist", data::split::test), photos = data::load_digits("mnistm", data::split::test);

  const fs::path office31 = folder / "office31";
  write_text(office31 / "image_list/amazon.txt", write_domain(plain, office31, "amazon/images", true));
  write_text(office31 / "image_list/webcam.txt", write_domain(photos, office31, "webcam/images", false));
  write_text(office31 / "image_list/dslr.txt", write_domain(photos, office31, "dslr/images", true, images_per_class));

  const fs::path office_home = folder / "office-home"; // folders alone, no lists
  write_domain(plain, office_home, "Art", true);
  write_domain(photos, office_home, "Clipart", false);

  const fs::path visda = folder / "visda2017";
  write_text(visda / "image_list/train.txt", write_domain(plain, visda, "train", false));
  write_text(visda / "image_list/validation.txt", write_domain(photos, visda, "validation", true));

  const fs::path domainnet = folder / "domainnet";
  write_text(domainnet / "image_list/clipart_train.txt", write_domain(plain, domainnet, "clipart", true));
  write_text(domainnet / "image_list/clipart_test.txt", write_domain(plain, domainnet, "clipart", true, images_per_class));
  write_text(domainnet / "image_list/real_train.txt", write_domain(photos, domainnet, "real", true));
  write_text(domainnet / "image_list/real_test.txt", write_domain(photos, domainnet, "real", true, images_per_class));

  io::random_generator random(1);
  nn::resnet<float> network(18, random);
  nn::save_weights(network, folder / "weights.safetensors");
  return 0;
}
