#include "check_gradients.hpp"

#include <map>
#include <nn/nn.hpp>
#include <set>

using namespace dalib;
using test::check_gradients;
using test::random_matrix;
using test::weighted_sum;

namespace {

/// Visitor that saves a state into memory, or restores it.
class memory_state : public io::state_visitor<memory_state> {
public:
  bool restoring = false;
  std::map<std::string, std::vector<std::byte>> contents;

  template <class T>
  void visit(const std::string& name, const io::tensor_shape&, std::span<T> values) {
    const auto bytes = std::as_writable_bytes(values);
    if (restoring) {
      REQUIRE(contents.count(name) == 1);
      REQUIRE(contents[name].size() == bytes.size());
      std::copy(contents[name].begin(), contents[name].end(), bytes.begin());
    } else {
      CHECK(contents.count(name) == 0);
      contents[name].assign(bytes.begin(), bytes.end());
    }
  }
};

template <class Object>
std::vector<std::string> names_of(Object& object) {
  std::vector<std::string> names;
  nn::visit(
      object, [&](const std::string& name, auto&) { names.push_back(name); }, "m.");
  return names;
}

/// All parameters and the input against finite differences.
template <class Model, class Forward>
void check_model(Model& model, const ad::variable<double>& x, const Forward& forward) {
  std::vector<ad::variable<double>> leaves{x};
  nn::visit_parameters(model, [&](const std::string&, auto& p) { leaves.push_back(p.variable()); });
  check_gradients(leaves, forward, 1e-5, 1e-6);
}

} // namespace

TEST_CASE("PyTorch layout: convolution (out, in, kh, kw), linear (out, in)") {
  nn::parameter<double> conv({4, 3, 2, 2}), matrix({4, 3}), vector({5});
  std::vector<double> values(48);
  for (std::size_t i = 0; i < 48; ++i) values[i] = static_cast<double>(i);
  conv.from_torch(std::span<const double>(values));
  // out 1, in 2, ky 1, kx 0: PyTorch's element ((1 * 3 + 2) * 2 + 1) * 2 + 0, our row (1 * 2 + 0) * 3 + 2.
  CHECK(conv.variable().value()(8, 1) == 22);
  CHECK(conv.to_torch() == values);
  values.resize(12);
  matrix.from_torch(std::span<const double>(values));
  CHECK(matrix.variable().value()(2, 1) == 5);
  CHECK(matrix.to_torch() == values);
  const std::vector<float> five{1, 2, 3, 4, 5};
  vector.from_torch(std::span<const float>(five));
  CHECK(vector.to_torch() == std::vector<double>{1, 2, 3, 4, 5});
  CHECK_THROWS_AS(conv.from_torch(std::span<const double>(values)), std::invalid_argument);
}

TEST_CASE("initial values: within their bounds, reproducible, not all equal") {
  io::random_generator random(3), again(3), other(4);
  nn::conv2d<float> conv(3, 8, {5, 1, 0}, random), same(3, 8, {5, 1, 0}, again), different(3, 8, {5, 1, 0}, other);
  const float bound = 1 / std::sqrt(75.0F);
  const auto values = conv.weight.variable().value();
  CHECK(values.cwiseAbs().maxCoeff() <= bound);
  CHECK(values.cwiseAbs().maxCoeff() > 0.95F * bound);
  CHECK(std::abs(values.mean()) < 0.1F * bound);
  CHECK(conv.weight.to_torch() == same.weight.to_torch());
  CHECK(conv.weight.to_torch() != different.weight.to_torch());
  CHECK(conv.bias.variable().value().cwiseAbs().maxCoeff() <= bound);
}

TEST_CASE("models are values: copies are deep, assignment keeps the variables") {
  io::random_generator random(1);
  nn::image_classifier<double, nn::mlp<double>> model(nn::mlp<double>(4, 5, 6, random), 3, {7, true, 0}, random);
  auto best = model;
  const auto x = ad::constant(random_matrix(8, 4, 1));
  const ad::matrix<double> before = model(x).logits.value();
  const auto handle = model.head.weight.variable();
  handle.mutable_value().setZero();
  model.bottleneck.norm->running_mean.tensor().view().setOnes();
  CHECK(model(x).logits.value() != before);
  CHECK(best(x).logits.value() == before);
  auto kept = best;
  model = kept;
  CHECK(model.head.weight.variable().handle() == handle.handle());
  CHECK(model(x).logits.value() == before);
}

TEST_CASE("parts that a model does not have are copied and assigned as such") {
  nn::buffer<float> none, some(3, 2.f);
  const nn::buffer<float> copy = none;
  CHECK(copy.tensor().empty());
  nn::buffer<float> overwritten = some;
  overwritten = none;
  CHECK(overwritten.tensor().empty());
  overwritten = some;
  CHECK(overwritten.to_torch() == some.to_torch());
  CHECK(overwritten.tensor().data() != some.tensor().data());
  nn::batch_norm<float> norm, other(4);
  const nn::batch_norm<float> same = norm;
  CHECK(same.running_mean.tensor().empty());
  norm = other;
  CHECK(norm.running_var.to_torch() == std::vector<float>(4, 1.f));
}

TEST_CASE("names are PyTorch's") {
  io::random_generator random(1);
  nn::image_classifier<double, nn::lenet_bn<double>> classifier(nn::lenet_bn<double>(1, 2, 3, 12, random), 3, {4, true, 0}, random);
  CHECK(names_of(classifier) == std::vector<std::string>{"m.backbone.conv1.weight", "m.backbone.conv1.bias", "m.backbone.bn1.weight",
                                                         "m.backbone.bn1.bias", "m.backbone.bn1.running_mean", "m.backbone.bn1.running_var",
                                                         "m.backbone.conv2.weight", "m.backbone.conv2.bias", "m.bottleneck.0.weight",
                                                         "m.bottleneck.0.bias", "m.bottleneck.1.weight", "m.bottleneck.1.bias",
                                                         "m.bottleneck.1.running_mean", "m.bottleneck.1.running_var", "m.head.weight",
                                                         "m.head.bias"});
  nn::mdd_classifier<double, nn::mlp<double>> mdd(nn::mlp<double>(4, 5, 6, random), 3, {.bottleneck_dim = 4, .width = 4, .dropout = 0},
                                                  random);
  const auto names = names_of(mdd);
  const std::set<std::string> all(names.begin(), names.end());
  for (const char* name : {"m.head.0.weight", "m.head.3.bias", "m.adv_head.0.bias", "m.adv_head.3.weight", "m.bottleneck.1.running_var"})
    CHECK(all.count(name) == 1);
}

TEST_CASE("whole models against finite differences") {
  io::random_generator random(1);
  const auto x = test::random_leaf(6, 4, 1);
  nn::mlp<double> trunk(4, 5, 6, random);

  nn::domain_discriminator<double> discriminator(4, 5, random);
  std::vector<ad::variable<double>> leaves{x};
  for (const auto* p : {&discriminator.layer3.weight, &discriminator.bn2.weight, &discriminator.layer1.weight})
    leaves.push_back(p->variable());
  check_gradients(
      leaves, [&] { return weighted_sum(discriminator(x)); }, 1e-5, 1e-6);
  CHECK(discriminator(x).cols() == 1);

  nn::image_classifier<double, nn::mlp<double>> plain(trunk, 3, {5, false, 0}, random);
  check_model(plain, x, [&] { return weighted_sum(plain(x).logits); });
  nn::image_classifier<double, nn::mlp<double>> source(trunk, 3, nn::bottleneck_source_only, random);
  CHECK(source.features() == 6);
  check_model(source, x, [&] { return weighted_sum(source(x).logits); });

  nn::image_classifier_head<double> head(4, 3, 5, random);
  nn::set_training(head, false);
  check_model(head, x, [&] { return weighted_sum(head(x)); });
  nn::set_training(head, true);
  CHECK(head(x).value() != head(x).value()); // dropout

  const auto image = test::random_leaf({2, 12, 12}, 1, 2);
  nn::lenet_bn<double> small(1, 2, 3, 12, random);
  CHECK(small(image).cols() == small.out_features);
  check_gradients(
      {image, small.conv1.weight.variable(), small.bn1.weight.variable(), small.conv2.weight.variable()},
      [&] { return weighted_sum(small(image)); }, 1e-5, 1e-6);
  nn::lenet<double> digits(random, 1, 16);
  const auto digit = test::random_leaf({2, 16, 16}, 1, 2);
  CHECK(digits(digit).cols() == digits.out_features);
  check_gradients(
      {digit, digits.conv1.bias.variable(), digits.conv1.weight.variable(), digits.conv2.bias.variable()},
      [&] { return weighted_sum(digits(digit)); }, 1e-5, 1e-6);
}

TEST_CASE("theta: identity forward, true gradient for the activations, negated for the map") {
  io::random_generator random(1);
  nn::theta<double> map(4, random);
  const auto x = test::random_leaf(5, 4, 1);
  CHECK(map(x).value() == x.value());
  ad::backward(weighted_sum(map(x)));
  const ad::matrix<double> r = random_matrix(5, 4, 99);
  CHECK((x.gradient() - r).norm() < 1e-12);
  CHECK((map.layer1.weight.variable().gradient() + x.value().transpose() * r).norm() < 1e-12);
}

TEST_CASE("MDD classifier: reversed gradient behind the adversarial head, schedule in training only") {
  io::random_generator random(1);
  nn::mdd_classifier<double, nn::mlp<double>> model(nn::mlp<double>(4, 5, 6, random), 3, {.bottleneck_dim = 4, .width = 4, .dropout = 0},
                                                    random);
  const auto x = ad::constant(random_matrix(6, 4, 1));
  const auto gradient_of_backbone = [&](double coefficient) {
    model.reversal.low = coefficient;
    model.reversal.high = coefficient;
    nn::visit_parameters(model, [](const std::string&, auto& p) { p.variable().clear_gradient(); });
    ad::backward(weighted_sum(model(x).adversarial_logits));
    return ad::matrix<double>(model.backbone.fc1.weight.variable().gradient());
  };
  const ad::matrix<double> one = gradient_of_backbone(1), half = gradient_of_backbone(0.5);
  CHECK(one.norm() > 1e-9);
  CHECK((one - 2 * half).norm() < 1e-12 * one.norm());
  CHECK(!model.head.linear1.weight.variable().has_gradient());

  model.reversal = {.alpha = 1, .low = 0, .high = 0.1, .iterations = 1000};
  CHECK(model.reversal.coefficient() == 0);
  model.step();
  CHECK(model.reversal.coefficient() == doctest::Approx(0.1 * (2 / (1 + std::exp(-0.001)) - 1)));
  nn::set_training(model, false);
  model.step();
  CHECK(model.reversal.iteration == 1);
}

TEST_CASE("state: a restored model and optimiser go on exactly as the saved ones") {
  io::random_generator random(1);
  using model_type = nn::mdd_classifier<float, nn::mlp<float>>;
  const model_type::options small{.bottleneck_dim = 4, .width = 4, .dropout = 0.5};
  model_type model(nn::mlp<float>(4, 5, 6, random), 3, small, random), other(nn::mlp<float>(4, 5, 6, random), 3, small, random);
  const nn::sgd_options options{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-3};
  nn::sgd<float> optimiser(model.parameter_groups(0.1), options), other_optimiser(other.parameter_groups(0.1), options);
  const auto x = ad::constant(random_matrix(6, 4, 1).cast<float>());
  const std::vector<std::int64_t> labels{0, 1, 2, 0, 1, 2};
  const auto train = [&](model_type& m, nn::sgd<float>& o) {
    o.clear_gradients();
    const auto out = m(x);
    const auto loss = ad::add(ad::cross_entropy<float>(out.logits, labels), ad::cross_entropy<float>(out.adversarial_logits, labels));
    ad::backward(loss);
    o.step();
    m.step();
    return loss.item();
  };
  for (int i = 0; i < 3; ++i) train(model, optimiser);

  memory_state state;
  const auto visit_all = [](model_type& m, nn::sgd<float>& o, memory_state& s) {
    auto model_scope = io::scoped(s, "model.");
    nn::visit_state(m, model_scope);
    auto optimiser_scope = io::scoped(s, "optimiser.");
    o.visit_state(optimiser_scope);
  };
  visit_all(model, optimiser, state);
  state.restoring = true;
  visit_all(other, other_optimiser, state);
  for (int i = 0; i < 3; ++i) CHECK(train(model, optimiser) == train(other, other_optimiser));
  CHECK(model.head.linear1.weight.to_torch() == other.head.linear1.weight.to_torch());
  CHECK(other.reversal.iteration == 6);
}
