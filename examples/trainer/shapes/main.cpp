// dalib_shapes: draws two small domains to try the trainer on, see examples/own_data.md.

#include "../../io/atomic_file.hpp"
#include "../../io/random.hpp"
#include "../report/text.hpp"
#include "drawing.hpp"
#include "table.hpp"

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <png.h>

namespace dalib::shapes {
namespace {

namespace fs = std::filesystem;

void write_png(const fs::path& path, const image::rgb_image& picture) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(picture.width);
  png.height = static_cast<png_uint_32>(picture.height);
  png.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&png, path.c_str(), 0, picture.pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(path.string() + ": " + png.message);
}

std::string number_text(int number) { return std::string(number < 100 ? number < 10 ? "00" : "0" : "") + std::to_string(number); }

/// FOLDER/studio/CLASS/NNN.png, FOLDER/field/DAY/NNN.png in a mixed order, and FOLDER/field-labels.txt for whoever wants to know.
void draw_domains(const fs::path& folder, int count, int side, std::uint64_t seed) {
  const io::random_generator random(seed);
  std::vector<int> order;
  for (int c = 0; c < static_cast<int>(class_names.size()); ++c) {
    fs::create_directories(folder / "studio" / class_names[static_cast<std::size_t>(c)]);
    for (int i = 0; i < count; ++i) {
      auto own = random.stream(order.size());
      write_png(folder / "studio" / class_names[static_cast<std::size_t>(c)] / (number_text(i) + ".png"),
                draw(c, style::studio, side, own));
      order.push_back(c);
    }
  }
  auto shuffling = random.stream(1'000'000);
  shuffling.shuffle(std::span(order));
  std::string labels;
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto own = random.stream(2'000'000 + i);
    const fs::path name =
        fs::path("field") / ("day-" + std::to_string(i * 3 / order.size() + 1)) / (number_text(static_cast<int>(i)) + ".png");
    fs::create_directories((folder / name).parent_path());
    write_png(folder / name, draw(order[i], style::field, side, own));
    labels += name.string() + " " + std::string(class_names[static_cast<std::size_t>(order[i])]) + "\n";
  }
  io::write_text_file(folder / "field-labels.txt", labels);
}

int run(int argc, char** argv) {
  if (argc < 2 || argc > 5) {
    std::cerr << "Usage: dalib_shapes FOLDER [IMAGES-PER-CLASS [SIDE [SEED]]]\n"
                 "Draws FOLDER/studio (six folders of shapes, the classes), FOLDER/field (the same shapes in another style, without "
                 "labels) with\n"
                 "field-labels.txt to check against, and the tables FOLDER/{plant-a,plant-b,plant-b-labelled}.csv. 60 images of 64 x 64 "
                 "pixels.\n";
    return 2;
  }
  const fs::path folder = argv[1];
  const int count = argc > 2 ? std::atoi(argv[2]) : 60, side = argc > 3 ? std::atoi(argv[3]) : 64;
  const auto seed = static_cast<std::uint64_t>(argc > 4 ? std::atoi(argv[4]) : 1);
  if (count < 1 || count > 1000 || side < 16 || side > 1024) throw std::runtime_error("1 to 1000 images per class of 16 to 1024 pixels");
  draw_domains(folder, count, side, seed);
  write_tables(folder, 5 * count, seed);
  std::cout << "drew " << folder.string() << "/studio, field, and the tables plant-a.csv, plant-b.csv\n";
  return 0;
}

} // namespace
} // namespace dalib::shapes

int main(int argc, char** argv) {
  try {
    return dalib::shapes::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "dalib_shapes: " << error.what() << '\n';
    return 1;
  }
}
