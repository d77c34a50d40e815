#pragma once
// Predictions as text: CSV or JSON lines, one per sample.

#include "trust.hpp"

#include <Eigen/Core>

#include <string>
#include <vector>

namespace dalib::train {

/// How predictions are written.
enum class prediction_format { csv, json_lines };

/// Samples with what a model said of them.
struct predicted_samples {
  Eigen::MatrixXf logits, features; ///< one row per sample
  std::vector<int> labels;          ///< data::no_label: could not be read
};

/// The class of a sample and how sure it is.
struct prediction {
  int label = 0;
  double confidence = 0;             ///< calibrated probability of the class
  std::vector<double> probabilities; ///< calibrated, of all classes
  std::string flag;                  ///< empty; or why it should not be trusted: unsure, far, "unsure far", unreadable
};

/// Predictions below this confidence are flagged as unsure.
inline constexpr double least_confidence = 0.5;

/// Writes predictions. The same samples give the same text, from the trainer and from dalib_predict.
class prediction_writer {
public:
  /// @param by_file samples are called `file`, otherwise `row`
  /// @param labelled the true class is written too
  prediction_writer(std::vector<std::string> classes, trust trusted, prediction_format format, bool by_file, bool labelled)
      : classes_(std::move(classes)), trust_(std::move(trusted)), format_(format), by_file_(by_file), labelled_(labelled) {}

  /// The first line of a CSV file; JSON lines have none.
  std::string header() const;

  /// The prediction of one row. `far`: farther from both domains than 99 of 100 of their own samples.
  prediction predict(const predicted_samples& samples, Eigen::Index row) const;

  /// One line for a row. Probabilities read back as exactly the same single-precision numbers.
  std::string line(const std::string& name, const predicted_samples& samples, Eigen::Index row) const;

  /// Class and confidence from such a line, which are as they were. Throws std::runtime_error for one that is of other classes.
  prediction read(const std::string& line) const;

private:
  std::vector<std::string> classes_;
  trust trust_;
  prediction_format format_;
  bool by_file_, labelled_;
};

/// What labels say about predictions: accuracy, accuracy per class, confusion, calibration.
class prediction_scores {
public:
  explicit prediction_scores(std::vector<std::string> classes);

  void add(int label, const prediction& predicted);

  long count() const { return static_cast<long>(confidences_.size()); }
  double accuracy() const;
  /// For the terminal; the confusion matrix up to 20 classes.
  std::string text() const;

private:
  std::vector<std::string> classes_;
  Eigen::MatrixXi confusion_; ///< rows: true classes, columns: predicted ones
  std::vector<double> confidences_;
  std::vector<bool> correct_;
};

} // namespace dalib::train
