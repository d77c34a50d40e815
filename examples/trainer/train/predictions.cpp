#include "predictions.hpp"

#include "scores.hpp"

#include "../data/dataset.hpp"
#include "../report/table.hpp"
#include "../report/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace dalib::train {
namespace {

/// The shortest text that reads back as the same single-precision number.
std::string short_number(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(value)).ptr;
  return {buffer.data(), end};
}

/// A field of CSV, in quotes where it needs them.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ')) return text;
  std::string quoted(1, '"');
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted.push_back('"');
  return quoted;
}

/// The fields of a line of CSV.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size() && (quoted || line[i] != '\n'); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back().push_back(line[++i]);
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(line[i]);
    }
  }
  return fields;
}

std::string json_text(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace

std::string prediction_writer::header() const {
  if (format_ == prediction_format::json_lines) return "";
  std::string text = report::joined(by_file_ ? "file" : "row", labelled_ ? ",label" : "", ",class,confidence,flag");
  for (const std::string& name : classes_) text.append(",").append(field(report::joined("p(", name, ")")));
  return text.append("\n");
}

prediction prediction_writer::predict(const predicted_samples& samples, Eigen::Index row) const {
  prediction result;
  if (samples.labels[static_cast<std::size_t>(row)] == data::no_label) {
    result.label = data::no_label;
    result.flag = "unreadable";
    return result;
  }
  const Eigen::MatrixXf scaled = samples.logits.row(row) / static_cast<float>(trust_.temperature);
  const Eigen::MatrixXd p = probabilities(scaled);
  Eigen::Index best = 0;
  samples.logits.row(row).maxCoeff(&best);
  result.label = static_cast<int>(best);
  result.confidence = static_cast<double>(static_cast<float>(p(0, best))); // as it is written
  result.probabilities.assign(p.data(), p.data() + p.size());
  const Eigen::RowVectorXf features = samples.features.row(row);
  const bool far = trust_.source.distance(features) > trust_.source.limit && trust_.target.distance(features) > trust_.target.limit;
  if (result.confidence < least_confidence) result.flag = "unsure";
  if (far) result.flag += result.flag.empty() ? "far" : " far";
  return result;
}

std::string prediction_writer::line(const std::string& name, const predicted_samples& samples, Eigen::Index row) const {
  const prediction p = predict(samples, row);
  const bool readable = p.label != data::no_label;
  const int label = samples.labels[static_cast<std::size_t>(row)];
  const auto class_name = [&](int number) { return number < 0 ? std::string() : classes_[static_cast<std::size_t>(number)]; };
  if (format_ == prediction_format::csv) {
    std::string text = field(name);
    if (labelled_) text.append(",").append(field(class_name(label)));
    text.append(",").append(field(class_name(p.label))).append(",");
    if (readable) text.append(short_number(p.confidence));
    text.append(",").append(p.flag);
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      text.append(",");
      if (readable) text.append(short_number(p.probabilities[c]));
    }
    return text.append("\n");
  }
  nlohmann::ordered_json document;
  document[by_file_ ? "file" : "row"] = name;
  if (labelled_ && readable) document["label"] = class_name(label);
  if (readable) {
    document["class"] = class_name(p.label);
    document["confidence"] = static_cast<float>(p.confidence);
  }
  document["flag"] = p.flag;
  for (std::size_t c = 0; readable && c < classes_.size(); ++c)
    document["probabilities"][classes_[c]] = static_cast<float>(p.probabilities[c]);
  return json_text(document) + "\n";
}

prediction prediction_writer::read(const std::string& line) const {
  std::string name, confidence;
  prediction result;
  if (format_ == prediction_format::csv) {
    const std::vector<std::string> fields = fields_of(line);
    const std::size_t place = labelled_ ? 2 : 1;
    if (fields.size() != place + 3 + classes_.size()) throw std::runtime_error("a line has another number of fields: " + line);
    name = fields[place];
    confidence = fields[place + 1];
  } else {
    const auto document = nlohmann::ordered_json::parse(line);
    name = document.value("class", "");
    if (document.contains("confidence")) result.confidence = static_cast<double>(document["confidence"].get<float>());
  }
  if (name.empty()) {
    result.label = data::no_label;
    return result;
  }
  const auto found = std::find(classes_.begin(), classes_.end(), name);
  if (found == classes_.end()) throw std::runtime_error("a line has the class '" + name + "', which the model lacks");
  result.label = static_cast<int>(found - classes_.begin());
  if (!confidence.empty()) result.confidence = static_cast<double>(std::stof(confidence));
  return result;
}

prediction_scores::prediction_scores(std::vector<std::string> classes) : classes_(std::move(classes)) {
  const auto count = static_cast<Eigen::Index>(classes_.size());
  confusion_ = Eigen::MatrixXi::Zero(count, count);
}

void prediction_scores::add(int label, const prediction& predicted) {
  if (label == data::no_label || predicted.label == data::no_label) return;
  ++confusion_(label, predicted.label);
  confidences_.push_back(predicted.confidence);
  correct_.push_back(label == predicted.label);
}

double prediction_scores::accuracy() const {
  return confidences_.empty() ? 0 : 100.0 * confusion_.trace() / static_cast<double>(confidences_.size());
}

std::string prediction_scores::text() const {
  std::string text = report::joined("accuracy ", report::fixed(accuracy(), 2), "% of ", std::to_string(count()),
                                    " samples, calibration error ", report::fixed(calibration_error(confidences_, correct_), 1), "%\n\n");
  constexpr std::size_t most_classes = 20;
  const bool small = classes_.size() <= most_classes;
  std::vector<std::string> header{"class", "samples", "accuracy %"};
  for (std::size_t c = 0; small && c < classes_.size(); ++c) header.push_back("as " + classes_[c]);
  report::table table(std::move(header));
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const auto row = static_cast<Eigen::Index>(c);
    const int samples = confusion_.row(row).sum();
    std::vector<report::cell> cells{
        {classes_[c]}, {std::to_string(samples)}, {samples > 0 ? report::fixed(100.0 * confusion_(row, row) / samples, 1) : "-"}};
    for (Eigen::Index k = 0; small && k < confusion_.cols(); ++k) cells.push_back({std::to_string(confusion_(row, k))});
    table.add(std::move(cells));
  }
  return text + table.text();
}

} // namespace dalib::train
