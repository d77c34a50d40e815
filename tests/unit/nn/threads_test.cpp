#include <doctest/doctest.h>
#include <nn/nn.hpp>
#ifdef _OPENMP
#  include <omp.h>
#endif

using namespace dalib;

namespace {

/// All parameters and running statistics after some training steps of a DANN-like network.
std::vector<float> train([[maybe_unused]] int threads) {
#ifdef _OPENMP
  omp_set_num_threads(threads);
#endif
  io::random_generator random(5);
  nn::image_classifier<float, nn::lenet<float>> model(nn::lenet<float>(random), 10, {64, true, 0.5}, random);
  nn::domain_discriminator<float> discriminator(64, 70, random);
  auto groups = model.parameter_groups(0.1);
  groups.push_back(nn::group_of<float>(discriminator));
  nn::sgd<float> optimiser(groups, {.learning_rate = 0.01, .momentum = 0.9, .nesterov = true, .weight_decay = 5e-4});
  const ad::index_t n = 21;
  ad::matrix<float> pixels(2 * n * 784, 1);
  for (ad::index_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = static_cast<float>(random.normal());
  const auto x = ad::constant(pixels, {2 * n, 28, 28});
  std::vector<std::int64_t> labels, domains;
  for (ad::index_t i = 0; i < 2 * n; ++i) {
    if (i < n) labels.push_back(i % 10);
    domains.push_back(i < n ? 1 : 0);
  }
  for (int step = 0; step < 2; ++step) {
    optimiser.clear_gradients();
    const auto [logits, features] = model(x);
    const auto logit = discriminator(ad::gradient_reversal(features, 0.5F));
    const auto pair = ad::outer_rows(logit, ad::constant(ad::matrix<float>(Eigen::RowVector2f(0, 1).replicate(2 * n, 1)))); // (0, logit)
    const auto loss = ad::add(ad::cross_entropy<float>(ad::image_range(logits, 0, n), labels), ad::cross_entropy<float>(pair, domains));
    ad::backward(loss);
    optimiser.step();
  }
  std::vector<float> result;
  const auto collect = [&](const std::string&, auto& item) {
    const auto values = item.to_torch();
    result.insert(result.end(), values.begin(), values.end());
  };
  nn::visit(model, collect);
  nn::visit(discriminator, collect);
  return result;
}

} // namespace

TEST_CASE("a LeNet training step is bit-identical for any number of threads") {
#ifdef _OPENMP
  const int before = omp_get_max_threads();
#endif
  const auto one = train(1);
  CHECK(one.size() > 80000);
  for (const int threads : {2, 3, 8}) {
    CAPTURE(threads);
    CHECK(train(threads) == one);
  }
#ifdef _OPENMP
  omp_set_num_threads(before);
#endif
}
