// MCD (Saito et al., 2018): two heads learn to disagree on the target, then the features learn to make them agree, in three steps.
#include <autodiff/autodiff.hpp>
#include <autodiff/dalib_graph.hpp>
#include <autodiff/short_spinning.hpp>
#include <dalib/dalib.hpp>
#include <made_domains.hpp>
#include <nn/nn.hpp>

#include <iostream>

using namespace dalib;

/// Accuracy in percent on the target, with the discrepancy of the heads or without it.
double train(bool adapt) {
  io::random_generator random(1);
  nn::linear<float> layer1(2, 64, random), layer2(64, 32, random), head1(32, 2, random), head2(32, 2, random);
  const nn::sgd_options options{.learning_rate = 0.05, .momentum = 0.9};
  nn::sgd<float> features_optimiser({nn::group_of<float>(layer1), nn::group_of<float>(layer2)}, options);
  nn::sgd<float> heads_optimiser({nn::group_of<float>(head1), nn::group_of<float>(head2)}, options);

  const auto features = [&](const made::domain& d) { return layer2(layer1(d.x, nn::activation::relu), nn::activation::relu); };
  const auto descend = [&](const made::node& loss, bool of_features, bool of_heads) {
    features_optimiser.clear_gradients();
    heads_optimiser.clear_gradients();
    ad::backward(loss);
    if (of_features) features_optimiser.step();
    if (of_heads) heads_optimiser.step();
  };
  const auto classification = [&](const made::node& f, const made::domain& source) {
    return ad::add(ad::cross_entropy<float>(head1(f), source.labels), ad::cross_entropy<float>(head2(f), source.labels));
  };
  const auto discrepancy = [&](const made::node& f) { return classifier_discrepancy{}(head1(f), head2(f)); };

  for (int step = 0; step < 400; ++step) {
    const made::domain source = made::moons(64, 0, random), target = made::moons(64, 30, random);
    descend(classification(features(source), source), true, true); // A: all parts learn the source
    if (!adapt) continue;
    const made::node f_s = ad::detach(features(source)), f_t = ad::detach(features(target));
    descend(ad::add(classification(f_s, source), ad::scale(discrepancy(f_t), -1.F)), false, true); // B: the heads disagree on the target
    for (int k = 0; k < 4; ++k) descend(discrepancy(features(target)), true, false);               // C: the features make them agree
  }
  const made::domain test = made::moons(1000, 30, random);
  return made::accuracy(head1(features(test)), test.labels);
}

int main(int, char** argv) {
  spin_briefly(argv); // threads that wait sleep: see include/dalib/threads.md
  const double before = train(false), after = train(true);
  std::cout << "target accuracy: source only " << before << "%, MCD " << after << "%\n";
  return after > before + 5 ? 0 : 1;
}
