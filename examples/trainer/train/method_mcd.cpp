#include "../../autodiff/dalib_graph.hpp"
#include "descent_method.hpp"
#include "models/mcd.hpp"

#include <dalib/measure/sliced_wasserstein.hpp>

namespace dalib::train::mcd_method {
namespace {

/// The discrepancy of Lee et al. (2019, eq. 6): the sliced Wasserstein distance of both heads' predictions, along directions that are drawn
/// anew for each call.
struct sliced_disagreement {
  double weight;

  variable<scalar> operator()(const variable<scalar>& first, const variable<scalar>& second, std::int64_t call) const {
    constexpr index_t count = 128;
    Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic> directions(first.cols(), count);
    fill_directions(directions, static_cast<std::uint64_t>(call));
    const auto distance = sliced_wasserstein{2}(ad::softmax(first), ad::softmax(second), ad::constant(directions));
    return ad::scale(distance, static_cast<scalar>(weight));
  }
};

image_backbone trained_backbone(const method_config& config, io::random_generator& random) {
  method_config own = config;
  if (own.backbone.arch == "linear") own.backbone.arch = "dense";
  return make_backbone(own, random);
}

/// The protocol's momentum is for both optimisers; DALIB's example has none for the backbone (generator-momentum 0).
template <class Descent>
typename Descent::options options_of(const method_config& config) {
  typename Descent::options o;
  o.width = config.head_width;
  o.trade_off = config.trade_off;
  o.balance_weight = config.settings.at("entropy-weight");
  o.backbone_steps = static_cast<int>(config.settings.at("generator-steps"));
  o.backbone = o.heads = config.sgd;
  o.backbone.momentum = config.settings.at("generator-momentum");
  o.backbone.nesterov = o.backbone.momentum > 0;
  o.schedule = make_schedule(config);
  o.backbone_multiplier = config.backbone_multiplier;
  return o;
}

template <class Discrepancy>
std::unique_ptr<method> make_mcd(const method_config& config, io::random_generator random, Discrepancy discrepancy) {
  using descent = mcd_descent<scalar, image_backbone, Discrepancy>;
  auto backbone = trained_backbone(config, random);
  return make_descent_method(descent(std::move(backbone), config.classes, options_of<descent>(config), random, discrepancy));
}

std::vector<method_setting> settings_with(std::vector<method_setting> more) {
  std::vector<method_setting> all = {
      {"entropy-weight", 0.01, 0, 1e3, "mcd, mcd-swd: weight of the class-balance term on the target"},
      {"generator-momentum", 0.9, 0, 0.999999, "mcd, mcd-swd: Nesterov momentum of the backbone's optimiser"},
      {"generator-steps", 4, 1, 1000, "mcd, mcd-swd: steps of the backbone in each iteration"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

image_protocol protocol(std::string_view data) {
  constexpr iterations_of_data iterations{20000, 20000, 10000, 75000};
  return {.learning_rate = 0.001,
          .lr_gamma = 0,
          .backbone_multiplier = 1,
          .iterations = iterations(data),
          .centre_crop = data == "visda2017",
          .generator_momentum = 0};
}

} // namespace
} // namespace dalib::train::mcd_method

namespace dalib::train {

method_entry mcd() {
  return {.name = "mcd",
          .description = "maximum classifier discrepancy: two heads and the backbone play against each other, in three steps",
          .settings = mcd_method::settings_with({}),
          .make = [](const method_config& config,
                     io::random_generator random) { return mcd_method::make_mcd(config, random, mean_disagreement<scalar>{}); },
          .protocol = mcd_method::protocol,
          .needs_backbone = true,
          .takes = additions::none};
}

method_entry mcd_swd() {
  method_entry entry = mcd();
  entry.name = "mcd-swd";
  entry.description = "the same with the sliced Wasserstein distance of the heads' predictions";
  entry.settings = mcd_method::settings_with({{"mcd-swd-weight", 10, 0, 1e6, "mcd-swd: weight of the distance"}});
  entry.make = [](const method_config& config, io::random_generator random) {
    return mcd_method::make_mcd(config, random, mcd_method::sliced_disagreement{config.settings.at("mcd-swd-weight")});
  };
  return entry;
}

} // namespace dalib::train
