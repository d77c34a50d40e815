// A deep kernel (Liu et al., 2020): a network learns to tell two laws apart, an exact test answers on rows of its own.
#include <autodiff/autodiff.hpp>
#include <autodiff/dalib_graph.hpp>
#include <autodiff/short_spinning.hpp>
#include <dalib/dalib.hpp>
#include <dalib/inference/deep_permutation_test.hpp>
#include <dalib/inference/deep_test_power.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <iostream>

using namespace dalib;
using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Eight normal features. In the other sample the second has the sign of the first: every feature alone is as before.
rows draw(Eigen::Index n, bool other, io::random_generator& random) {
  rows x(n, 8);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
  for (Eigen::Index i = 0; other && i < n; ++i) x(i, 1) = std::copysign(x(i, 1), x(i, 0));
  return x;
}

int main(int, char** argv) {
  spin_briefly(argv); // threads that wait sleep: see include/dalib/threads.md
  io::random_generator random(1);
  nn::linear<float> hidden(8, 32, random), out(32, 8, random);
  const auto features = [&](const rows& z) { return out(hidden(ad::constant(z), nn::activation::relu)); };
  inference::deep_kernel kernel{kernel::gaussian{bandwidth::median{}}, kernel::gaussian{bandwidth::median{2}}, 0.05};
  nn::sgd<float> optimiser({nn::group_of<float>(hidden), nn::group_of<float>(out)},
                           {.learning_rate = -0.05, .momentum = 0.9}); // a negative rate: upwards
  float first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    const rows x = draw(64, false, random), y = draw(64, true, random); // to learn from
    const inference::deep_test_power power{kernel, 1e-4};
    const auto criterion = power(layers(features(x), ad::constant(x)), layers(features(y), ad::constant(y)));
    optimiser.clear_gradients();
    ad::backward(criterion);
    optimiser.step();
    (step == 0 ? first : last) = criterion.item();
  }

  const rows x_test = draw(200, false, random), y_test = draw(200, true, random); // to answer with: rows that nobody has learnt from
  const auto of_network = [&](const rows& z) {
    const auto made = features(z);
    return rows(Eigen::Map<const rows>(made.storage().data(), made.rows(), made.cols()));
  };
  const rows phi_x = of_network(x_test), phi_y = of_network(y_test);
  const inference::test_options options{.draws = 499, .seed = 1};
  const double learned = inference::deep_permutation_test{kernel}(layers(phi_x, x_test), layers(phi_y, y_test), options).p_value;
  const double fixed = inference::permutation_test<>{}(x_test, y_test, options).p_value;
  std::cout << "estimated power " << first << " -> " << last << "; p with the median bandwidth " << fixed << ", with the learned kernel "
            << learned << '\n';
  return learned < 0.05 ? 0 : 1;
}
