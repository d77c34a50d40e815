#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <span>
#include <vector>

namespace dalib::train {

/// Centres of the classes among features scaled to length 1, in both domains, as they move during training: the source's by its labels, the
/// target's by spherical k-means on mini-batches (Sculley 2010), which starts at the source's centres again every `period` batches. CAN
/// clusters the whole target before each of its loops; a method here sees batches only.
template <class T>
class class_centres {
public:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  struct assignment {
    std::vector<std::int64_t> labels;
    std::vector<T> distances; ///< (1 - cosine) / 2
  };

  class_centres(Eigen::Index classes, Eigen::Index features, std::int64_t period)
      : source_(matrix::Zero(classes, features)), target_(source_), period_(period) {}

  /// Moves the source's centres. Features are (n, F).
  template <class Features>
  void see_source(const Features& features, std::span<const std::int64_t> labels) {
    move(source_, unit_rows(features), labels);
  }

  /// Labels for rows of the target, whose centres move with them.
  template <class Features>
  assignment assign_target(const Features& features) {
    if (batches_++ % period_ == 0) target_ = source_;
    const matrix rows = unit_rows(features), centres = unit_rows(target_);
    matrix cosines = rows * centres.transpose();
    for (Eigen::Index c = 0; c < centres.rows(); ++c) // a class that was not seen yet is nobody's nearest
      if (!(centres.row(c).squaredNorm() > T(0))) cosines.col(c).setConstant(T(-1));
    assignment result;
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      Eigen::Index nearest = 0;
      const T cosine = cosines.row(i).maxCoeff(&nearest);
      result.labels.push_back(nearest);
      result.distances.push_back((1 - cosine) / 2);
    }
    move(target_, rows, result.labels);
    return result;
  }

  template <class Visitor>
  void visit_state(Visitor& visitor) {
    const auto show = [&](const char* name, matrix& m) {
      visitor(name, {m.rows(), m.cols()}, std::span<T>(m.data(), static_cast<std::size_t>(m.size())));
    };
    show("source", source_);
    show("target", target_);
    visitor("batches", {}, std::span<std::int64_t>(&batches_, 1));
  }

private:
  /// Rows of length 1; those of length 0 stay. Eigen's rowwise().normalized() would make them NaN.
  template <class Rows>
  static matrix unit_rows(const Rows& rows) {
    matrix result = rows;
    for (Eigen::Index i = 0; i < result.rows(); ++i) result.row(i).normalize();
    return result;
  }

  /// A centre moves a tenth of the way to the mean of its class in the batch; one that has none yet goes there.
  static void move(matrix& centres, const matrix& rows, std::span<const std::int64_t> labels) {
    constexpr T step = T(0.1);
    matrix sums = matrix::Zero(centres.rows(), centres.cols());
    std::vector<T> counts(static_cast<std::size_t>(centres.rows()), T(0));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      sums.row(labels[i]) += rows.row(static_cast<Eigen::Index>(i));
      counts[static_cast<std::size_t>(labels[i])] += 1;
    }
    for (Eigen::Index c = 0; c < centres.rows(); ++c) {
      const T count = counts[static_cast<std::size_t>(c)];
      if (count == T(0)) continue;
      const T share = centres.row(c).squaredNorm() > T(0) ? step : T(1);
      centres.row(c) += share * (sums.row(c) / count - centres.row(c));
    }
  }

  matrix source_, target_;
  std::int64_t period_, batches_ = 0;
};

} // namespace dalib::train
