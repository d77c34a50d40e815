// CDAN+E (Long et al., 2018): the discriminator sees the product of features and predictions; sure predictions count more.
#include <autodiff/autodiff.hpp>
#include <autodiff/dalib_graph.hpp>
#include <autodiff/short_spinning.hpp>
#include <dalib/dalib.hpp>
#include <made_domains.hpp>
#include <nn/nn.hpp>

#include <iostream>

using namespace dalib;

constexpr int steps = 800;

/// Accuracy in percent on the target, with the conditional adversarial loss or without it.
double train(bool adapt) {
  io::random_generator random(1);
  nn::linear<float> layer1(2, 64, random), layer2(64, 32, random), head(32, 2, random);
  const auto features = [&](const made::node& x) { return layer2(layer1(x, nn::activation::relu), nn::activation::relu); };
  const warm_start_reversal reversal{.high = 1, .iterations = steps};
  conditional_domain_adversarial_loss<nn::domain_discriminator<float>, multilinear_map, conditioning::joint_entropy> adversarial{
      nn::domain_discriminator<float>(64, 64, random), {}, {}, reversal}; // 64 = 32 features x 2 classes
  nn::sgd<float> optimiser({nn::group_of<float>(layer1), nn::group_of<float>(layer2), nn::group_of<float>(head),
                            nn::group_of<float>(adversarial.discriminator)},
                           {.learning_rate = 0.05, .momentum = 0.9});
  for (int step = 0; step < steps; ++step) {
    const made::domain source = made::moons(64, 0, random), target = made::moons(64, 30, random);
    const made::node f_s = features(source.x), f_t = features(target.x);
    const made::node y_s = head(f_s), y_t = head(f_t);
    made::node loss = ad::cross_entropy<float>(y_s, source.labels);
    if (adapt) loss = ad::add(loss, adversarial(y_s, f_s, y_t, f_t).loss);
    optimiser.clear_gradients();
    ad::backward(loss);
    optimiser.step();
  }
  const made::domain test = made::moons(1000, 30, random);
  return made::accuracy(head(features(test.x)), test.labels);
}

int main(int, char** argv) {
  spin_briefly(argv); // threads that wait sleep: see include/dalib/threads.md
  const double before = train(false), after = train(true);
  std::cout << "target accuracy: source only " << before << "%, CDAN+E " << after << "%\n";
  return after > before + 5 ? 0 : 1;
}
