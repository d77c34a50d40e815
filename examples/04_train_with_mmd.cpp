// DAN in fifty lines: a network with the library's loss as one node of the example tape.
#include <autodiff/autodiff.hpp>
#include <autodiff/dalib_graph.hpp>
#include <autodiff/short_spinning.hpp>
#include <dalib/dalib.hpp>
#include <nn/nn.hpp>

#include <cstdint>
#include <iostream>
#include <vector>

using namespace dalib;
using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main(int, char** argv) {
  spin_briefly(argv); // threads that wait sleep: see include/dalib/threads.md
  io::random_generator random(1);
  const auto draw = [&](Eigen::Index n, float shift,
                        std::vector<std::int64_t>& labels) { // two classes; the target is rotated into the third axis
    rows x(n, 3);
    labels.clear();
    for (Eigen::Index i = 0; i < n; ++i) {
      labels.push_back(i % 2);
      for (Eigen::Index f = 0; f < 3; ++f) x(i, f) = static_cast<float>(random.normal());
      x(i, 0) += labels.back() ? 2.f : -2.f;
      x(i, 2) += shift + shift * x(i, 0) / 2;
    }
    return x;
  };
  nn::linear<float> hidden(3, 32, random), head(32, 2, random);
  nn::sgd<float> optimiser({nn::group_of<float>(hidden), nn::group_of<float>(head)}, {.learning_rate = 0.05, .momentum = 0.9});
  const checked transfer{mmd{kernel::gaussian_ladder(1.f / 8, 5), estimator::unbiased{}}}; // throws if the features are NaN or infinite
  std::vector<std::int64_t> labels, unused;
  float first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    const rows source = draw(64, 0, labels), target = draw(48, 2, unused); // unequal batches are fine
    const auto fs = hidden(ad::constant(source), ad::activation::relu), ft = hidden(ad::constant(target), ad::activation::relu);
    const auto discrepancy = transfer(fs, ft); // one node: value and gradients in one pass of the library
    const auto loss = ad::add(ad::cross_entropy(head(fs), labels), discrepancy);
    optimiser.clear_gradients();
    ad::backward(loss);
    optimiser.step();
    (step == 0 ? first : last) = discrepancy.item();
  }
  std::cout << "MK-MMD of the features " << first << " -> " << last << '\n';
  return last < 0.5f * first ? 0 : 1;
}
