#pragma once
// Two made tables: measurements of three products in two plants whose instruments differ.

#include "../../io/atomic_file.hpp"
#include "../../io/npy.hpp"
#include "../../io/random.hpp"
#include "../report/text.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace dalib::shapes {

/// Six measurements of a product. The plants' instruments differ by a shift and a turn that moves the classes into each other's places, but
/// the classes lie in clusters in both.
inline std::array<double, 6> measure(int product, bool second_plant, io::random_generator& random) {
  constexpr std::array<std::array<double, 6>, 3> centres{{{0, 0, 2, 0, 0.3, 0}, {2.4, 0, 0, 0.3, 0, 0}, {1.2, 2.2, 0, 0, 0, 0.3}}};
  std::array<double, 6> x = centres[static_cast<std::size_t>(product)];
  for (double& value : x) value += 0.3 * random.normal();
  if (!second_plant) return x;
  const double turned = x[0] * 0.7 - x[1] * 0.714;
  x[1] = x[0] * 0.714 + x[1] * 0.7 + 0.7;
  x[0] = turned + 1.3;
  x[2] = 0.55 * x[2] + 0.8;
  return x;
}

/// FOLDER/plant-a.csv with the column `product`, plant-b.csv without, plant-b-labelled.csv with it; and the same as arrays of features,
/// plant-a-features.npy with plant-a-labels.npy, plant-b-features.npy without, plant-b-known-features.npy with plant-b-known-labels.npy.
inline void write_tables(const std::filesystem::path& folder, int rows, std::uint64_t seed) {
  constexpr std::array<const char*, 3> products{"bolt", "nut", "washer"};
  const std::string columns = "length,width,weight,density,gloss,noise\n";
  io::random_generator random = io::random_generator(seed).stream(3'000'000);
  for (const bool second : {false, true}) {
    const std::string plant = second ? "plant-b" : "plant-a";
    std::string labelled = "product," + columns, unlabelled = columns;
    std::vector<float> features;
    std::vector<std::int64_t> labels;
    for (int i = 0; i < rows; ++i) {
      labels.push_back(static_cast<std::int64_t>(random.uniform_int(products.size())));
      std::string line;
      for (const double value : measure(static_cast<int>(labels.back()), second, random)) {
        line.append(line.empty() ? "" : ",").append(report::fixed(value, 3));
        features.push_back(static_cast<float>(value));
      }
      labelled.append(products[static_cast<std::size_t>(labels.back())]).append(",").append(line).append("\n");
      unlabelled.append(line).append("\n");
    }
    io::write_text_file(folder / (second ? "plant-b.csv" : "plant-a.csv"), second ? unlabelled : labelled);
    if (second) io::write_text_file(folder / "plant-b-labelled.csv", labelled);
    io::write_npy(folder / (plant + "-features.npy"), {rows, 6}, std::span<const float>(features));
    if (second) io::write_npy(folder / "plant-b-known-features.npy", {rows, 6}, std::span<const float>(features));
    io::write_npy(folder / (second ? "plant-b-known-labels.npy" : "plant-a-labels.npy"), {rows}, std::span<const std::int64_t>(labels));
  }
}

} // namespace dalib::shapes
