#include "data/loader.hpp"
#include "files.hpp"
#include "io/checkpoint.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

using namespace dalib;
using namespace file_tests;

namespace {

/// N images of 2 x 1 x 2 pixels whose values and label tell the row number.
data::dataset numbered(int n) {
  data::dataset result{"numbered", data::image_matrix(n, 4), {2, 1, 2}, {}, n};
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < 4; ++k) result.images(i, k) = static_cast<float>(i) + 0.25F * static_cast<float>(k);
    result.labels.push_back(i);
  }
  return result;
}

std::vector<std::size_t> take(data::loader& loader, int batches) {
  std::vector<std::size_t> rows;
  for (int i = 0; i < batches; ++i) {
    const auto batch = loader.next_indices();
    rows.insert(rows.end(), batch.begin(), batch.end());
  }
  return rows;
}

} // namespace

TEST_CASE("a pass visits different samples, drops the partial batch and reshuffles") {
  const data::dataset set = numbered(10);
  data::loader loader(set, 3, 5);
  CHECK(loader.batches_per_pass() == 3);
  const std::vector<std::size_t> first = take(loader, 3);
  CHECK(loader.pass() == 0);
  const std::vector<std::size_t> second = take(loader, 3);
  CHECK(loader.pass() == 1);
  for (const auto& rows : {first, second}) {
    CHECK(std::set<std::size_t>(rows.begin(), rows.end()).size() == 9);
    CHECK(*std::max_element(rows.begin(), rows.end()) < 10);
  }
  CHECK(first != second);
}

TEST_CASE("every sample is dropped equally often in the long run") {
  const data::dataset set = numbered(5);
  data::loader loader(set, 4, 1);
  std::vector<int> visits(5);
  for (const std::size_t row : take(loader, 10000)) ++visits[row];
  for (const int count : visits) CHECK(std::abs(count - 8000) < 200);
}

TEST_CASE("equal seeds give equal batches, other seeds others") {
  const data::dataset set = numbered(50);
  data::loader a(set, 8, 1), b(set, 8, 1), c(set, 8, 2);
  const std::vector<std::size_t> rows = take(a, 20);
  CHECK(rows == take(b, 20));
  CHECK(rows != take(c, 20));
}

TEST_CASE_TEMPLATE("batches are gathered into the caller's memory", T, float, double) {
  const data::dataset set = numbered(7);
  data::loader loader(set, 3, 4), same(set, 3, 4);
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> flat(3, 4), pixels(6, 2);
  std::vector<int> labels(3), pixel_labels(3);
  const T* const memory = flat.data();
  for (int i = 0; i < 5; ++i) {
    loader.next(flat, labels);
    same.next(pixels, pixel_labels); // (batch * height * width, channels): the same memory in another shape
    CHECK(flat.data() == memory);
    CHECK(labels == pixel_labels);
    CHECK(std::equal(flat.data(), flat.data() + 12, pixels.data()));
    for (int k = 0; k < 3; ++k) {
      const T row = static_cast<T>(labels[static_cast<std::size_t>(k)]);
      CHECK(flat(k, 0) == row);
      CHECK(flat(k, 3) == row + T(0.75));
    }
  }
}

TEST_CASE("wrong sizes are refused") {
  const data::dataset set = numbered(7);
  CHECK(contains(error_of<std::invalid_argument>([&] { data::loader(set, 8, 0); }), "batch size 8 does not fit data set 'numbered' of 7"));
  CHECK_THROWS_AS(data::loader(set, 0, 0), std::invalid_argument);
  data::loader loader(set, 3, 0);
  std::vector<float> images(12), few(11);
  std::vector<int> labels(3), many(4);
  CHECK(contains(error_of<std::invalid_argument>([&] { loader.next(std::span(few), labels); }), "got room for 11 and 3"));
  CHECK_THROWS_AS(loader.next(std::span(images), many), std::invalid_argument);
}

TEST_CASE("a restored loader goes on with exactly the same batches") {
  temporary_folder folder;
  const data::dataset set = numbered(23);
  for (const int before : {0, 1, 5, 6, 12, 31}) { // 5 batches a pass: start, middle, end, and start of a pass
    CAPTURE(before);
    data::loader original(set, 4, 9);
    take(original, before);
    io::save_checkpoint(folder / "loader", original, {"none", "{}"});
    const std::vector<std::size_t> expected = take(original, 17);

    data::loader restored(set, 4, 1234);
    take(restored, 3);
    io::load_checkpoint(folder / "loader").contents.restore(restored);
    CHECK(take(restored, 17) == expected);
    CHECK(restored.pass() == original.pass());
  }
}

TEST_CASE("saving does not disturb the batches, and another data set is refused") {
  temporary_folder folder;
  const data::dataset set = numbered(23), other = numbered(24);
  data::loader saved(set, 4, 9), undisturbed(set, 4, 9), foreign(other, 4, 9);
  for (int i = 0; i < 12; ++i) {
    CHECK(take(saved, 1) == take(undisturbed, 1));
    io::save_checkpoint(folder / "loader", saved, {"none", "{}"});
  }
  const io::checkpoint file(folder / "loader");
  CHECK(contains(error_of<std::invalid_argument>([&] { file.restore(foreign); }), "data set 'numbered' has 24 samples"));
}
