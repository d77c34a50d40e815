/// The tape's softmax and cross-entropy against the oracle: JMMD's predictions and every classifier go through them.
#include "autodiff/dalib_graph.hpp"
#include "autodiff/softmax.hpp"
#include "support/softmax_oracle.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

using namespace dalib;

namespace {

template <class T>
softmax_oracle::row extended(const softmax_oracle::input<T>& m, Eigen::Index i) {
  return m.row(i).template cast<long double>();
}

/// sum of p u, as a node with the gradient u.
template <class T>
ad::variable<T> weighted_sum(const ad::variable<T>& p, const softmax_oracle::input<T>& u) {
  return graph_traits<ad::variable<T>>::record(std::array<ad::variable<T>, 1>{p}, [&](const auto&, const auto& gradient) {
    for (Eigen::Index i = 0; i < u.rows(); ++i)
      for (Eigen::Index c = 0; c < u.cols(); ++c) gradient[0](i, c) = u(i, c);
    return T(0);
  });
}

TEST_CASE_TEMPLATE("gradients through the tape's softmax and cross-entropy have all their digits", T, float, double) {
  constexpr Eigen::Index rows = 16;
  for (const Eigen::Index classes : {2, 10, 65})
    for (const double deviation : {1e-3, 1.0, 10.0, 20.0, 30.0, 100.0, 1e4}) {
      CAPTURE(classes);
      CAPTURE(deviation);
      const auto logits = softmax_oracle::normal_logits<T>(rows, classes, deviation, 1);
      const auto x = ad::parameter(logits);
      std::mt19937 bits(2);
      const auto slope = [&] { return static_cast<T>(static_cast<int>(bits() % 9) - 4); };
      const softmax_oracle::input<T> upstream = softmax_oracle::input<T>::NullaryExpr(rows, classes, slope);
      ad::backward(weighted_sum(ad::softmax(x), upstream));
      for (Eigen::Index i = 0; i < rows; ++i) {
        const softmax_oracle::row slopes = extended<T>(upstream, i);
        const auto expected = softmax_oracle::pull(softmax_oracle::softmax(extended<T>(logits, i)), slopes);
        CHECK(softmax_oracle::error_of_row<T>(x.gradient().row(i), expected) < 20);
      }

      std::vector<std::int64_t> sure; // the predicted class: what is left is what the others have
      for (Eigen::Index i = 0; i < rows; ++i) {
        Eigen::Index top = 0;
        logits.row(i).maxCoeff(&top);
        sure.push_back(top);
      }
      const auto y = ad::parameter(logits);
      ad::backward(ad::cross_entropy<T>(y, sure));
      for (Eigen::Index i = 0; i < rows; ++i) {
        softmax_oracle::row expected = softmax_oracle::softmax(extended<T>(logits, i)) / static_cast<long double>(rows);
        const auto label = sure[static_cast<std::size_t>(i)];
        expected(label) = 0;
        expected(label) = -expected.sum();
        CHECK(softmax_oracle::error_of_row<T>(y.gradient().row(i), expected) < 20);
      }
    }
}

} // namespace
