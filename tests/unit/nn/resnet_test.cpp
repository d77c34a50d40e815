#include "check_gradients.hpp"

#include <nn/resnet.hpp>

using namespace dalib;

TEST_CASE("residual blocks against finite differences") {
  io::random_generator random(1);
  for (const bool bottleneck : {false, true})
    for (const ad::index_t stride : {1, 2}) {
      CAPTURE(bottleneck);
      CAPTURE(stride);
      nn::residual_block<double> block(8, bottleneck ? 2 : 8, stride, bottleneck, random);
      const auto x = test::random_leaf({2, 5, 4}, 8, 1);
      std::vector<ad::variable<double>> leaves{x};
      nn::visit_parameters(block, [&](const std::string&, auto& p) { leaves.push_back(p.variable()); });
      CHECK(block.projects == (stride == 2));
      test::check_gradients(
          leaves, [&] { return test::weighted_sum(block(x)); }, 1e-4, 1e-6);
    }
}

TEST_CASE("ResNet: torchvision's parameters, features, frozen batch norm") {
  const std::vector<std::array<ad::index_t, 3>> expected{{18, 512, 11176512}, {50, 2048, 23508032}}; // torchvision's counts without fc
  for (const auto& row : expected) {
    io::random_generator random(1);
    nn::resnet<float> net(static_cast<int>(row[0]), random);
    CHECK(net.out_features == row[1]);
    ad::index_t count = 0;
    bool found = false;
    nn::visit_parameters(net, [&](const std::string& name, auto& p) {
      count += p.size();
      found = found || name == "layer2.0.downsample.0.weight";
    });
    CHECK(count == row[2]);
    CHECK(found);
    if (row[0] != 18) continue;
    const auto x = ad::constant(test::random_matrix(2 * 40 * 33, 3, 1).cast<float>(), {2, 40, 33});
    const auto before = net.bn1.running_mean.to_torch();
    net.freeze_batch_norm();
    CHECK(net(x).cols() == 512);
    CHECK(net.bn1.running_mean.to_torch() == before);
    net.freeze_batch_norm(false);
    net(x);
    CHECK(net.bn1.running_mean.to_torch() != before);
  }
  io::random_generator random(1);
  CHECK_THROWS_AS(nn::resnet<float>(20, random), std::invalid_argument);
}
