// The row losses beside DALIB's own in device memory, beside the same on the host.
#include "conformance/samples.hpp"

#include <dalib/measure/distillation.hpp>
#include <dalib/measure/domain_label.hpp>
#include <dalib/measure/fast_batch_nuclear_norm.hpp>
#include <dalib/measure/feature_norm.hpp>
#include <dalib/measure/information_maximisation.hpp>
#include <dalib/measure/minimum_class_confusion.hpp>
#include <dalib/measure/partial_adaptation.hpp>
#include <dalib/measure/prediction_entropy.hpp>
#include <dalib/measure/regression_disparity.hpp>
#include <dalib/measure/symmetric_classifiers.hpp>
#include <dalib/measure/unknown_class_boundary.hpp>
#include <dalib/measure/weighted_cross_entropy.hpp>
#include <dalib/thrust.hpp>

#include <doctest/doctest.h>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using conformance::relative_difference;

namespace {

/// Scores, logits and room for gradients, on the host and on the device.
struct further_setting {
  matrix<double> a = normal_rows<double>(37, 5, 1, 3), b = normal_rows<double>(37, 5, 2, 3), l = a.leftCols(1), k = b.leftCols(1);
  matrix<double> ga = a, gb = b, gl = l, gk = k;
  device_matrix<double> da{a}, db{b}, dl{l}, dk{k}, dga{a}, dgb{b}, dgl{l}, dgk{k};
  std::vector<std::int64_t> labels;

  further_setting() {
    for (int i = 0; i < 37; ++i) labels.push_back(i % 5);
  }
};

void check_equal(double value, double expected, const device_matrix<double>& gradient, const matrix<double>& expected_gradient) {
  CHECK(value == doctest::Approx(expected).epsilon(1e-12));
  CHECK(expected_gradient.norm() > 0);
  CHECK(relative_difference(gradient.to_host(), expected_gradient) < 1e-12);
}

/// A loss of one tensor of scores; its gradient is added to what is there, twice.
template <class Loss>
void check_one(const Loss& loss, further_setting& s) {
  s.ga.setOnes();
  s.dga = device_matrix<double>(s.ga);
  const double expected = loss.value_and_gradient(s.a, gradient{s.ga, 2.0, write_mode::accumulate});
  check_equal(loss.value_and_gradient(s.da, gradient{s.dga, 2.0, write_mode::accumulate}), expected, s.dga, s.ga);
  CHECK(loss(s.da) == doctest::Approx(expected).epsilon(1e-12));
}
template <class Loss>
void check_two(const Loss& loss, further_setting& s) {
  const double expected = loss.value_and_gradient(s.a, s.b, gradients{s.ga, s.gb});
  const double value = loss.value_and_gradient(s.da, s.db, gradients{s.dga, s.dgb});
  check_equal(value, expected, s.dga, s.ga);
  check_equal(value, expected, s.dgb, s.gb);
}

TEST_CASE("further row losses on the device are those of the host") {
  further_setting s;
  check_one(prediction_entropy{}, s);
  check_one(prediction_entropy{1e-5}, s);
  check_one(tsallis_entropy{2}, s);
  check_one(information_maximisation{}, s);
  check_one(minimum_class_confusion{}, s);
  check_one(fast_batch_nuclear_norm{}, s);
  check_one(batch_frobenius_norm{}, s);
  check_one(unknown_class_boundary{}, s);
  check_one(weighted_cross_entropy{s.labels, {}, weighted_mean::by_count, {.smoothing = 0.1, .temperature = 2}}, s);
  check_two(symmetric_classifiers<symmetric_loss::domain_confusion>{}, s);
  check_two(symmetric_classifiers<symmetric_loss::entropy>{}, s);
  check_two(symmetric_category_confusion{s.labels}, s);
  check_two(hard_feature_norm{}, s);
  const distillation draw{2};
  check_equal(draw.value_and_gradient(s.da, s.db, gradient{s.dga}), draw.value_and_gradient(s.a, s.b, gradient{s.ga}), s.dga, s.ga);
  const domain_label label{0.25};
  check_equal(label.value_and_gradient(s.dl, gradient{s.dgl}), label.value_and_gradient(s.l, gradient{s.gl}), s.dgl, s.gl);
  const weighted_domain_adversarial adversarial{1, 0.5};
  check_equal(adversarial.value_and_gradient(s.dl, s.dk, gradients{s.dgl, s.dgk}),
              adversarial.value_and_gradient(s.l, s.k, gradients{s.gl, s.gk}), s.dgk, s.gk);
  const regression_disparity disparity{regression_loss::squared, 2};
  check_equal(disparity.value_and_gradient(s.da, s.db, s.db, s.da, gradients{s.dga, s.dgb}),
              disparity.value_and_gradient(s.a, s.b, s.b, s.a, gradients{s.ga, s.gb}), s.dga, s.ga);
}

} // namespace
