#include "data/digits.hpp"
#include "files.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace dalib::data;
using namespace file_tests;

namespace {

const fs::path bundled = DALIB_DATA_DIR;

std::vector<int> class_counts(const std::vector<dataset>& parts) {
  std::vector<int> counts(10);
  for (const dataset& part : parts) {
    for (const int label : part.labels) ++counts.at(static_cast<std::size_t>(label));
  }
  return counts;
}

std::vector<dataset> both_parts(const std::string& domain) {
  return {load_digits(domain, split::train, bundled), load_digits(domain, split::test, bundled)};
}

} // namespace

TEST_CASE("all domains have the documented sizes, values and class counts") {
  struct expectation {
    std::string domain;
    int train, test;
    std::vector<int> per_class;
  };
  const std::vector<int> mnist_counts{1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978};
  const std::vector<int> optdigits_counts{178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  for (const expectation& expected :
       {expectation{"mnist", 8000, 2000, mnist_counts}, expectation{"mnistm", 8000, 2000, mnist_counts},
        expectation{"optdigits", 1297, 500, optdigits_counts}, expectation{"optdigits-wide", 1297, 500, optdigits_counts}}) {
    CAPTURE(expected.domain);
    const std::vector<dataset> parts = both_parts(expected.domain);
    CHECK(parts[0].name == expected.domain + " train");
    CHECK(parts[1].name == expected.domain + " test");
    CHECK(parts[0].size() == expected.train);
    CHECK(parts[1].size() == expected.test);
    CHECK(class_counts(parts) == expected.per_class);
    for (const dataset& part : parts) {
      CHECK(part.classes == 10);
      CHECK(part.geometry == image_geometry{28, 28, 1});
      CHECK(part.images.cols() == 784);
      CHECK(part.labels.size() == static_cast<std::size_t>(part.size()));
      const auto [least, most] = std::minmax_element(part.images.data(), part.images.data() + part.images.size());
      CHECK(*least == -1.F);
      CHECK(*most == 1.F);
    }
  }
}

TEST_CASE("mnist pixels are byte / 255, then (x - 0.5) / 0.5") {
  const dataset mnist = load_digits("mnist", split::test, bundled);
  const idx_array raw = read_idx(bundled / "mnist-test-images-idx3-ubyte.gz");
  for (const std::size_t i : {std::size_t{300}, std::size_t{100'000}, std::size_t{1'567'999}}) {
    const auto row = static_cast<Eigen::Index>(i / 784), column = static_cast<Eigen::Index>(i % 784);
    CHECK(mnist.images(row, column) == doctest::Approx((raw.values[i] / 255.0 - 0.5) / 0.5));
  }
  CHECK(load_digits("mnistm", split::test, bundled).labels == mnist.labels);
}

TEST_CASE("optdigits are enlarged as documented") {
  // The first image starts with the rows 0 0 5 13 9 1 0 0 and 0 0 13 15 10 15 5 0.
  const dataset narrow = load_digits("optdigits", split::train, bundled);
  CHECK(narrow.labels[0] == 0);
  // Row 1, column 7 of the 20 x 20 image: source row 0.1, column 2.5; 0.9 * 9 + 0.1 * 14 = 9.5 of 16.
  CHECK(narrow.images(0, (4 + 1) * 28 + 4 + 7) == doctest::Approx(0.1875));
  // The border of four pixels is black.
  for (Eigen::Index k = 0; k < 28; ++k) {
    for (const Eigen::Index edge : {0, 3, 24, 27}) {
      CHECK(narrow.images.col(edge * 28 + k).isConstant(-1.F));
      CHECK(narrow.images.col(k * 28 + edge).isConstant(-1.F));
    }
  }
  // Row 0, column 10 of the 28 x 28 image: source row 0 (clamped), column 2.5; (5 + 13) / 2 = 9 of 16.
  const dataset wide = load_digits("optdigits-wide", split::train, bundled);
  CHECK(wide.images(0, 10) == doctest::Approx(0.125));
}

TEST_CASE("training and test parts of optdigits do not overlap") {
  const std::vector<dataset> parts = both_parts("optdigits");
  const idx_array labels = read_idx(bundled / "optdigits-labels-idx1-ubyte.gz");
  CHECK(std::equal(parts[0].labels.begin(), parts[0].labels.end(), labels.values.begin()));
  CHECK(std::equal(parts[1].labels.begin(), parts[1].labels.end(), labels.values.begin() + 1297));
}

TEST_CASE("unknown domains and missing files") {
  const std::string unknown = error_of<std::invalid_argument>([] { load_digits("svhn", split::train, bundled); });
  CHECK(unknown == "unknown domain 'svhn'; known domains: mnist, mnistm, optdigits, optdigits-wide");
  const std::string missing = error_of([] { load_digits("mnist", split::train, "absent-folder"); });
  CHECK(contains(missing, "absent-folder/mnist-train-images-idx3-ubyte.gz: no such file; name the folder"));
  CHECK(contains(missing, "--root"));
  CHECK(contains(missing, "DALIB_DATA_DIR"));
}

TEST_CASE("inconsistent files are named") {
  temporary_folder folder;
  const fs::path images = folder / "mnist-test-images-idx3-ubyte.gz";
  const fs::path labels = folder / "mnist-test-labels-idx1-ubyte.gz";
  const auto load = [&] { load_digits("mnist", split::test, folder.path()); };
  const std::string two_images = std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x1C\0\0\0\x1C", 16) + std::string(2 * 784, '\x10');
  const std::string list_of_two("\0\0\x08\x01\0\0\0\x02", 8);

  write_bytes(images, two_images);
  CHECK(contains(error_of(load), "labels-idx1-ubyte.gz: no such file"));
  write_bytes(labels, list_of_two + "\x01\x09");
  CHECK(load_digits("mnist", split::test, folder.path()).labels == std::vector<int>{1, 9});

  write_bytes(labels, list_of_two + "\x01\x0A");
  CHECK(contains(error_of(load), "labels-idx1-ubyte.gz: holds the label 10"));
  write_bytes(labels, std::string("\0\0\x08\x01\0\0\0\x03", 8) + "\x01\x02\x03");
  CHECK(contains(error_of(load), "holds 3 labels for 2 images"));
  write_bytes(labels, two_images);
  CHECK(contains(error_of(load), "does not hold a list of labels"));
  write_bytes(images, std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x02", 16) + "abcd");
  CHECK(contains(error_of(load), "images-idx3-ubyte.gz: does not hold images of 28x28 pixels"));
  write_bytes(images, list_of_two + "ab");
  CHECK(contains(error_of(load), "does not hold images of 28x28 pixels"));

  write_bytes(folder / "optdigits-images-idx3-ubyte.gz",
              std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x08\0\0\0\x08", 16) + std::string(64, '\0'));
  CHECK(contains(error_of([&] { load_digits("optdigits", split::test, folder.path()); }), "holds 1 images, expected 1797"));
  write_bytes(folder / "optdigits-images-idx3-ubyte.gz",
              std::string("\0\0\x08\x03\0\0\x07\x05\0\0\0\x08\0\0\0\x08", 16) + std::string(1797 * 64, '\x11'));
  CHECK(contains(error_of([&] { load_digits("optdigits", split::test, folder.path()); }), "holds the pixel value 17"));
}

TEST_CASE("the environment variable goes before the built-in folder") {
  const char* const before = std::getenv("DALIB_DATA_DIR");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("DALIB_DATA_DIR", "elsewhere", 1);
  CHECK(default_folder() == "elsewhere");
  ::setenv("DALIB_DATA_DIR", "", 1);
  CHECK(default_folder() == bundled);
  ::unsetenv("DALIB_DATA_DIR");
  CHECK(default_folder() == bundled);
  if (before != nullptr) ::setenv("DALIB_DATA_DIR", saved.c_str(), 1);
}
