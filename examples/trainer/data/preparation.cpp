#include "preparation.hpp"

#include "digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace dalib::data {
namespace {

constexpr std::array<std::pair<content, const char*>, 3> content_names{
    {{content::images, "images"}, {content::gray, "gray"}, {content::values, "values"}}};

std::string name_of(content kind) { return content_names[static_cast<std::size_t>(kind)].second; }

/// Reads rows of a memory-mapped array.
class array_rows final : public sample_source {
public:
  explicit array_rows(const input& samples) : array_(samples.array), rows_(samples.rows) {}

  std::size_t read(std::size_t row, io::random_generator*, std::span<float> target) const override {
    const io::tensor_view& all = array_->array();
    const std::size_t size = target.size() * io::info(all.type).size;
    const io::tensor_view one{{}, all.type, {static_cast<std::int64_t>(target.size())}, all.bytes.subspan(rows_[row] * size, size)};
    one.copy_to(target);
    if (!std::all_of(target.begin(), target.end(), [](float x) { return std::isfinite(x); }))
      io::fail_file(all.name, "row " + std::to_string(rows_[row] + 1) + " has a number that is NaN or infinite");
    return row;
  }

private:
  std::shared_ptr<const io::npy_file> array_;
  std::vector<std::size_t> rows_;
};

/// Places in a table of the columns that were prepared for.
std::vector<std::size_t> find_columns(const input& samples, const preparation& how) {
  const std::vector<std::string>& there = samples.table.columns;
  std::vector<std::size_t> places;
  for (const std::string& column : how.columns) {
    const auto place = std::find(there.begin(), there.end(), column);
    if (place == there.end()) io::fail_file(samples.path, "lacks the column '" + column + "' of the source" + did_you_mean(column, there));
    places.push_back(static_cast<std::size_t>(place - there.begin()));
  }
  for (const std::string& column : there)
    if (std::find(how.columns.begin(), how.columns.end(), column) == how.columns.end())
      io::fail_file(samples.path, "has the column '" + column + "', which the source lacks (--ignore-columns leaves columns out)");
  return places;
}

image_matrix standardised(const input& samples, const preparation& how) {
  const std::vector<std::size_t> places = find_columns(samples, how);
  image_matrix result(samples.table.values.rows(), static_cast<Eigen::Index>(places.size()));
  for (std::size_t c = 0; c < places.size(); ++c)
    for (Eigen::Index row = 0; row < result.rows(); ++row) {
      double value = samples.table.values(row, static_cast<Eigen::Index>(places[c]));
      if (std::isnan(value) && !how.impute)
        io::fail_file(samples.path.string() + ":" + std::to_string(samples.table.lines[static_cast<std::size_t>(row)]),
                      "has no value in column '" + how.columns[c] + "' (--missing mean takes the source's mean)");
      if (std::isnan(value)) value = how.mean[c];
      result(row, static_cast<Eigen::Index>(c)) = static_cast<float>((value - how.mean[c]) / how.deviation[c]);
    }
  return result;
}

void require_fitting(const input& samples, const preparation& how) {
  if (content_of(samples.kind) != how.kind)
    io::fail_file(samples.path, "holds " + name_of(content_of(samples.kind)) + ", but the source holds " + name_of(how.kind));
  if (how.kind != content::values) return;
  const bool table = samples.kind == input_kind::table;
  if (table == how.columns.empty())
    io::fail_file(samples.path, table ? "is a table, but the source is not" : "is not a table, but the source is");
  if (!table && samples.geometry.channels != how.width)
    io::fail_file(samples.path,
                  "has " + std::to_string(samples.geometry.channels) + " features, the source has " + std::to_string(how.width));
}

} // namespace

content content_of(input_kind kind) {
  if (kind == input_kind::idx || kind == input_kind::digits) return content::gray;
  return kind == input_kind::npy || kind == input_kind::table ? content::values : content::images;
}

image_geometry preparation::geometry() const {
  if (kind == content::images) return {side, side, 3};
  if (kind == content::gray) return {detail::digits_side, detail::digits_side, 1};
  return {1, 1, width};
}

preparation prepare_for(const input& source, std::ptrdiff_t side, bool impute) {
  preparation how{.kind = content_of(source.kind), .side = side, .width = source.geometry.channels, .impute = impute};
  if (source.kind != input_kind::table) return how;
  how.columns = source.table.columns;
  for (Eigen::Index c = 0; c < source.table.values.cols(); ++c) {
    double sum = 0, squares = 0, count = 0;
    for (const double value : source.table.values.col(c))
      if (!std::isnan(value)) sum += value, count += 1;
    const double mean = count > 0 ? sum / count : 0;
    for (const double value : source.table.values.col(c))
      if (!std::isnan(value)) squares += (value - mean) * (value - mean);
    const double deviation = count > 0 ? std::sqrt(squares / count) : 0;
    how.mean.push_back(mean);
    how.deviation.push_back(deviation > 1e-12 * std::abs(mean) && deviation > 0 ? deviation : 1);
  }
  return how;
}

dataset make_dataset(const input& samples, const preparation& how, const std::vector<std::string>& classes, const dataset_use& use) {
  require_fitting(samples, how);
  dataset result{samples.name + " " + use.part, {}, how.geometry(), {}, static_cast<int>(classes.size())};
  result.labelled = samples.labelled();
  result.labels = result.labelled ? class_numbers(samples, classes) : std::vector<int>(samples.size(), 0);
  result.at_once = samples.at_once;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    result.sample_names.push_back(samples.sample_name(i));
    if (!samples.unreadable.empty() && samples.unreadable[i] != 0) result.labels[i] = no_label;
  }
  if (samples.is_files()) {
    image::transform transform = image::transform_for_side(how.side);
    transform.centre_crop = use.centre_crop;
    result.source = std::make_shared<image_files>(samples.files, transform, use.unreadable);
  } else if (samples.array) {
    result.source = std::make_shared<array_rows>(samples);
  } else {
    result.images = samples.kind == input_kind::table ? standardised(samples, how) : samples.values;
  }
  return result;
}

nlohmann::ordered_json to_json(const preparation& how) {
  nlohmann::ordered_json document;
  document["kind"] = name_of(how.kind);
  if (how.kind == content::images) {
    document["side"] = how.side;
    document["resized_side"] = image::transform_for_side(how.side).resized_side;
    document["mean"] = image::imagenet_mean;
    document["deviation"] = image::imagenet_deviation;
  }
  if (how.kind != content::values) return document;
  document["width"] = how.width;
  if (how.columns.empty()) return document;
  document["columns"] = how.columns;
  document["mean"] = how.mean;
  document["deviation"] = how.deviation;
  document["impute"] = how.impute;
  return document;
}

preparation preparation_from_json(const nlohmann::ordered_json& document) {
  const std::string kind = document.at("kind");
  const auto known = std::find_if(content_names.begin(), content_names.end(), [&](const auto& entry) { return entry.second == kind; });
  if (known == content_names.end()) throw std::runtime_error("unknown kind of input '" + kind + "'");
  preparation how{.kind = known->first};
  if (how.kind == content::images) how.side = document.at("side").get<std::ptrdiff_t>();
  if (how.kind == content::values) how.width = document.at("width").get<Eigen::Index>();
  if (how.side < 16 || how.side > 4096 || how.width < 0 || how.width > 100'000'000) throw std::runtime_error("impossible size of inputs");
  if (!document.contains("columns")) return how;
  how.columns = document.at("columns").get<std::vector<std::string>>();
  how.mean = document.at("mean").get<std::vector<double>>();
  how.deviation = document.at("deviation").get<std::vector<double>>();
  how.impute = document.at("impute").get<bool>();
  const std::size_t columns = how.columns.size();
  const bool fits = how.mean.size() == columns && how.deviation.size() == columns && static_cast<std::size_t>(how.width) == columns;
  if (!fits || std::any_of(how.deviation.begin(), how.deviation.end(), [](double x) { return !(x > 0); }))
    throw std::runtime_error("columns, means and deviations do not fit each other");
  return how;
}

} // namespace dalib::data
