// Data sets of files, and the loader that reads them ahead.
#include "data/image_files.hpp"
#include "data/loader.hpp"
#include "files.hpp"
#include "io/checkpoint.hpp"

#include <doctest/doctest.h>

using namespace dalib;
using namespace file_tests;

namespace {

/// Samples that tell their row and what was drawn; rows in `bad` cannot be read.
class numbered_source final : public data::sample_source {
public:
  std::set<std::size_t> bad;
  std::size_t read(std::size_t row, io::random_generator* random, std::span<float> target) const override {
    if (bad.contains(row)) throw std::runtime_error("sample " + std::to_string(row));
    target[0] = static_cast<float>(row);
    target[1] = random == nullptr ? -1.0F : static_cast<float>(random->uniform01());
    return row;
  }
};

data::dataset numbered(int n, std::set<std::size_t> bad = {}) {
  auto source = std::make_shared<numbered_source>();
  source->bad = std::move(bad);
  data::dataset set{"numbered", {}, {1, 2, 1}, {}, n, source};
  for (int i = 0; i < n; ++i) set.labels.push_back(100 + i);
  return set;
}

/// All values and labels of the next batches.
std::vector<float> take(data::loader& loader, int batches) {
  std::vector<float> all, images(2 * loader.batch_size());
  std::vector<int> labels(loader.batch_size());
  for (int i = 0; i < batches; ++i) {
    loader.next(std::span<float>(images), labels);
    all.insert(all.end(), images.begin(), images.end());
    for (std::size_t k = 0; k < labels.size(); ++k) CHECK(static_cast<float>(labels[k]) == 100 + images[2 * k]);
  }
  return all;
}

} // namespace

TEST_CASE("prefetching: the same samples and draws for any number of threads") {
  const data::dataset set = numbered(23);
  data::loader one(set, 5, 7, {1, 0}), many(set, 5, 7, {4, 3}), other(set, 5, 8, {4, 3});
  const std::vector<float> batches = take(one, 13);
  CHECK(take(many, 13) == batches);
  CHECK(take(other, 13) != batches);
  // A sample is drawn anew in each pass.
  std::set<float> draws;
  for (std::size_t i = 0; i < batches.size(); i += 2)
    if (batches[i] == 3) draws.insert(batches[i + 1]);
  CHECK(draws.size() >= 2);
  CHECK(one.pass() == 3);
}

TEST_CASE("prefetching: a checkpoint knows nothing of what was read ahead") {
  const data::dataset set = numbered(23);
  const temporary_folder folder;
  data::loader original(set, 4, 3, {2, 3});
  take(original, 7);
  io::save_checkpoint(folder / "state", original, {"test", "{}"});
  const std::vector<float> expected = take(original, 9);
  data::loader restored(set, 4, 1, {3, 1});
  take(restored, 2);
  io::load_checkpoint(folder / "state").contents.restore(restored);
  CHECK(take(restored, 9) == expected);
}

TEST_CASE("prefetching: a sample that cannot be read stops at its batch, and nothing is lost") {
  std::vector<float> images(6);
  std::vector<int> labels(3);
  const data::dataset good = numbered(12), broken = numbered(12, {5});
  data::loader expected(good, 3, 9), loader(broken, 3, 9);
  int batches = 0;
  for (bool failed = false; !failed; ++batches) {
    const std::string problem = error_of([&] { loader.next(std::span<float>(images), labels); });
    failed = problem == "sample 5";
    if (!failed) CHECK(problem == "");
    if (failed) CHECK(error_of([&] { loader.read(std::span<float>(images), labels); }) == "sample 5"); // still there
  }
  take(expected, batches - 1);
  const auto next = expected.next_indices();
  CHECK(std::find(next.begin(), next.end(), 5U) != next.end());
}

TEST_CASE("prefetching: an unused loader and one that is given up early end well") {
  const data::dataset set = numbered(100);
  { data::loader unused(set, 5, 1, {3, 2}); }
  data::loader used(set, 5, 1, {3, 2});
  take(used, 1);
  used.next_indices(); // passes a batch without reading it
  data::loader direct(set, 5, 1, {1, 0});
  take(direct, 2);
  CHECK(take(used, 3) == take(direct, 3));
}

TEST_CASE("image files: unreadable ones are an error, or skipped with one report each") {
  const temporary_folder folder;
  write_bytes(folder / "empty.jpg", "");
  write_bytes(folder / "text.png", "no image");
  const std::vector<fs::path> paths{folder / "empty.jpg", folder / "text.png", folder / "missing.jpg"};
  const image::transform how = image::transform_for_side(8);
  std::vector<float> values(8 * 8 * 3, 7);
  io::random_generator random(1);
  const data::image_files strict(paths, how, {});
  CHECK(contains(error_of([&] { strict.read(0, &random, values); }), "empty.jpg: is empty (--unreadable skip"));
  CHECK(contains(error_of([&] { strict.read(1, nullptr, values); }), "text.png: is neither a JPEG nor a PNG"));
  CHECK(contains(error_of([&] { strict.read(2, nullptr, values); }), "missing.jpg: cannot open"));

  std::vector<std::string> reports;
  const data::image_files lenient(paths, how, {true, [&](const std::string& text) { reports.push_back(text); }});
  CHECK(lenient.read(0, nullptr, values) == data::sample_source::unreadable);
  CHECK(values == std::vector<float>(8 * 8 * 3, 0));
  CHECK(lenient.read(0, nullptr, values) == data::sample_source::unreadable);
  CHECK(reports.size() == 1);
  CHECK(contains(error_of([&] { lenient.read(1, &random, values); }), "neither this nor any other image"));
  CHECK(reports.size() == 3);
}

#ifdef DALIB_HAVE_PNG
TEST_CASE("image files: the next readable file takes the place of an unreadable one in training") {
  const temporary_folder folder;
  write_bytes(folder / "empty.jpg", "");
  const fs::path good = fs::path(DALIB_PILLOW_DIR) / "rgb.png";
  const image::transform how = image::transform_for_side(16);
  const data::dataset set = data::make_image_dataset("set", {{folder / "empty.jpg", good}, {3, 4}, 5}, how, {true, {}});
  CHECK(set.geometry == data::image_geometry{16, 16, 3});
  CHECK(set.size() == 2);
  std::vector<float> first(16 * 16 * 3), second(16 * 16 * 3);
  io::random_generator a(1), b(1);
  CHECK(data::read_sample(set, 0, &a, std::span<float>(first)) == 4);
  CHECK(data::read_sample(set, 1, &b, std::span<float>(second)) == 4);
  CHECK(first == second);
  std::vector<float> both(2 * 16 * 16 * 3);
  std::vector<int> labels(2);
  data::gather(set, std::vector<std::size_t>{0, 1}, std::span<float>(both), labels);
  CHECK(labels == std::vector<int>{data::no_label, 4});
}
#endif
