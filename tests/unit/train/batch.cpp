#include "train/batch.hpp"
#include "train/history.hpp"

#include <doctest/doctest.h>

using namespace dalib;

namespace {

/// `count` images of 2 x 3 pixels; image i has the value base + i everywhere, and the label i % 4.
data::dataset numbered(const char* name, Eigen::Index count, float base) {
  data::dataset set{name, data::image_matrix(count, 6), {2, 3, 1}, {}, 4};
  for (Eigen::Index i = 0; i < count; ++i) {
    set.images.row(i).setConstant(base + static_cast<float>(i));
    set.labels.push_back(static_cast<int>(i % 4));
  }
  return set;
}

} // namespace

TEST_CASE("batch: both domains in one block, source first, with the source's labels") {
  const data::dataset source = numbered("source train", 10, 0), target = numbered("target train", 9, 100);
  data::loader source_loader(source, 3, 1), target_loader(target, 4, 2);
  const auto batch = train::next_batch<double>(source_loader, target_loader);
  CHECK(batch.source_size() == 3);
  CHECK(batch.target_size() == 4);
  CHECK(batch.both.shape() == ad::geometry{7, 2, 3});
  CHECK(batch.both.cols() == 1);
  CHECK(batch.source.value() == batch.both.value().topRows(3 * 6));
  CHECK(batch.target.value() == batch.both.value().bottomRows(4 * 6));
  CHECK(batch.target.value().minCoeff() >= 100);
  REQUIRE(batch.source_labels.size() == 3);
  for (Eigen::Index i = 0; i < 3; ++i)
    CHECK(batch.source_labels[static_cast<std::size_t>(i)] == static_cast<std::int64_t>(batch.source.value()(6 * i, 0)) % 4);
}

TEST_CASE("batch: slices keep the data set's order") {
  const data::dataset set = numbered("set test", 5, 10);
  const auto [slice, labels] = train::image_slice<float>(set, 2, 2);
  CHECK(labels == std::vector<int>{2, 3});
  CHECK(slice.shape() == ad::geometry{2, 2, 3});
  CHECK(slice.value()(0, 0) == 12);
  CHECK(slice.value()(11, 0) == 13);
}

TEST_CASE("history: a row has the means since the last one, in the order of the columns") {
  train::interval_sums sums;
  sums.add({.classification_loss = 1, .transfer_loss = 3, .total_loss = 4, .correct = 2, .domain_accuracy = 50}, 4);
  sums.add({.classification_loss = 2, .transfer_loss = 5, .total_loss = 7, .correct = 4, .domain_accuracy = 100}, 4);
  train::evaluation e{.source_accuracy = 90, .target_accuracy = 60, .information = 0.5, .density = 0.7};
  e.label_free.back() = 0.25;
  const std::vector<double> row = train::history_row(20, 0.01, sums, e);
  REQUIRE(row.size() == 12 + train::label_free_names.size());
  CHECK(std::vector<double>(row.begin(), row.begin() + 12) == std::vector<double>{20, 0.01, 5.5, 1.5, 4, 75, 75, 90, 60, 0.5, 0.7, 45});
  CHECK(row.back() == 0.25);
  CHECK(train::history_columns().size() == row.size());
  CHECK(train::history_columns().back() == "a_distance");
  e.open.harmonic = 40;
  CHECK(train::history_row(20, 0.01, sums, e, true).back() == 40);
  CHECK(train::history_columns(true).size() == row.size() + 3);
}
