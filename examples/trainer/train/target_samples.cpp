#include "target_samples.hpp"

#include "shown_samples.hpp"

#include "../image/decode.hpp"
#include "../image/encode_png.hpp"
#include "../image/resample.hpp"
#include "../report/contact_sheet.hpp"

#include <algorithm>
#include <cmath>

namespace dalib::train {
namespace {

using report::sheet_item;

constexpr std::size_t shown_images = 24, shown_rows = 15, shown_columns = 6;
constexpr std::ptrdiff_t picture_side = 112; // pixels

/// A file's image, small.
image::rgb_image small_picture(const std::filesystem::path& file) {
  const image::rgb_image whole = image::read_image(file);
  const double scale = std::min(1.0, static_cast<double>(picture_side) / static_cast<double>(std::max(whole.width, whole.height)));
  const auto scaled = [&](std::ptrdiff_t side) { return std::max<std::ptrdiff_t>(std::lround(scale * static_cast<double>(side)), 1); };
  return image::resize(whole, scaled(whole.width), scaled(whole.height));
}

/// An image of numbers from -1 to 1, as the digits and IDX files are.
image::rgb_image small_picture(const data::dataset& set, Eigen::Index row) {
  const data::image_geometry& geometry = set.geometry;
  image::rgb_image picture(geometry.width, geometry.height);
  for (Eigen::Index pixel = 0; pixel < geometry.width * geometry.height; ++pixel)
    for (Eigen::Index c = 0; c < 3; ++c) {
      const float value = set.images(row, pixel * geometry.channels + std::min(c, geometry.channels - 1));
      picture.pixels[static_cast<std::size_t>(3 * pixel + c)] =
          static_cast<std::uint8_t>(std::lround(127.5F * (1 + std::clamp(value, -1.0F, 1.0F))));
    }
  return picture;
}

/// All that is shown of the target.
class sample_list {
public:
  sample_list(const run_result& best, const task& data)
      : run_(&best), data_(&data), samples_{best.target.logits, best.target.features, best.target.labels} {
    const prediction_writer writer(data.classes, best.trusted, prediction_format::csv, true, false);
    for (Eigen::Index row = 0; row < samples_.logits.rows(); ++row) predictions_.push_back(writer.predict(samples_, row));
    if (!data.target_files.empty()) folder_ = data.target_files.front().parent_path();
    for (const std::filesystem::path& file : data.target_files)
      while (!folder_.empty() && std::mismatch(folder_.begin(), folder_.end(), file.begin(), file.end()).first != folder_.end())
        folder_ = folder_ == folder_.root_path() ? std::filesystem::path() : folder_.parent_path();
  }

  const std::vector<prediction>& predictions() const { return predictions_; }
  /// What all files lie in.
  const std::filesystem::path& folder() const { return folder_; }
  bool has_pictures() const { return data_->prepared.kind != data::content::values && (has_files() || !data_->frozen); }

  sheet_item item(std::size_t i) const {
    sheet_item shown{.picture = {}, .heading = predicted_class(i), .note = confidence(i), .name = name(i), .wrong = wrong(i)};
    if (wrong(i)) shown.note += ", is " + true_class(i);
    try {
      const image::rgb_image picture = has_files() ? small_picture(data_->target_files[place(i)])
                                                   : small_picture(data_->target_test, static_cast<Eigen::Index>(place(i)));
      shown.picture = image::data_uri("image/png", image::encode_png(picture));
    } catch (const std::runtime_error&) { // the file was there before: its line without a picture says enough
    }
    return shown;
  }

  /// Rows of features and tables: number, class, how sure, the second class; of tables the first values.
  report::table table_of(const std::vector<std::size_t>& rows) const {
    const auto& columns = data_->prepared.columns;
    const std::size_t values = std::min(columns.size(), shown_columns);
    std::vector<std::string> header{"row", "class", "how sure", "or else", "flag"};
    if (data_->target_test.labelled) header.push_back("is");
    header.insert(header.end(), columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(values));
    report::table table(std::move(header));
    for (const std::size_t i : rows) {
      std::vector<report::cell> cells{{name(i)}, {predicted_class(i)}, {confidence(i)}, {second_class(i)}, {predictions_[i].flag}};
      if (data_->target_test.labelled) cells.push_back({true_class(i), wrong(i)});
      for (std::size_t c = 0; c < values; ++c) {
        const double value =
            static_cast<double>(data_->target_test.images(static_cast<Eigen::Index>(place(i)), static_cast<Eigen::Index>(c)));
        cells.push_back({report::significant(data_->prepared.mean[c] + value * data_->prepared.deviation[c], 4)});
      }
      table.add(std::move(cells));
    }
    return table;
  }

private:
  bool has_files() const { return !data_->target_files.empty(); }
  std::size_t place(std::size_t i) const { return static_cast<std::size_t>(run_->target_rows[i]); }
  std::string predicted_class(std::size_t i) const { return data_->classes[static_cast<std::size_t>(predictions_[i].label)]; }
  std::string true_class(std::size_t i) const { return data_->classes[static_cast<std::size_t>(samples_.labels[i])]; }
  bool wrong(std::size_t i) const { return data_->target_test.labelled && samples_.labels[i] != predictions_[i].label; }
  std::string confidence(std::size_t i) const { return report::fixed(100 * predictions_[i].confidence, 0) + " %"; }
  std::string second_class(std::size_t i) const {
    std::vector<double> p = predictions_[i].probabilities;
    p[static_cast<std::size_t>(predictions_[i].label)] = -1;
    const auto second = std::max_element(p.begin(), p.end());
    return data_->classes[static_cast<std::size_t>(second - p.begin())] + " " + report::fixed(100 * *second, 0) + " %";
  }
  std::string name(std::size_t i) const {
    const std::size_t row = place(i);
    if (has_files()) return data_->target_files[row].lexically_relative(folder_).string();
    const auto& names = data_->target_test.sample_names;
    return row < names.size() ? names[row] : std::to_string(row + 1);
  }

  const run_result* run_;
  const task* data_;
  predicted_samples samples_;
  std::vector<prediction> predictions_;
  std::filesystem::path folder_;
};

} // namespace

void add_target_samples(report::html_report& page, const run_result& best, const task& data) {
  const sample_list list(best, data);
  const bool pictures = list.has_pictures();
  const shown_samples shown = choose_samples(list.predictions(), pictures ? shown_images : shown_rows);
  std::string flags;
  for (const std::string flag : {"unsure", "far"}) {
    const auto count = std::count_if(list.predictions().begin(), list.predictions().end(),
                                     [&](const prediction& p) { return p.flag.find(flag) != std::string::npos; });
    flags += (flags.empty() ? "" : ", ") + std::to_string(count) + " are flagged " + flag;
  }
  page.section("What the model says of the target");
  page.paragraph(best.method + ", seed " + std::to_string(best.seed) + ": of " + std::to_string(list.predictions().size()) + " samples " +
                 flags + " (predictions.csv has all of them). The percentage is the calibrated probability of the class." +
                 (list.folder().empty() ? "" : " Names are below " + list.folder().string() + "."));
  const auto show = [&](const std::vector<std::size_t>& rows) {
    if (!pictures) return page.block(list.table_of(rows).html());
    std::vector<sheet_item> items;
    for (const std::size_t i : rows) items.push_back(list.item(i));
    page.block(report::contact_sheet(items));
  };
  page.subsection("The least certain: label these first");
  show(shown.unsure);
  page.subsection("The most certain of each class: if one of these is wrong, so are many");
  show(shown.sure);
}

} // namespace dalib::train
