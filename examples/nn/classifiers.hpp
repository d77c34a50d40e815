#pragma once
#include <optional>

#include <dalib/measure/warm_start_reversal.hpp>

#include "layers.hpp"

namespace dalib::nn {

/// What follows the backbone: linear (to `width`), batch norm, ReLU, dropout; the last three only where asked for.
struct bottleneck_options {
  index_t width = 256; ///< 0: no bottleneck, the head sees the backbone's features
  bool batch_norm = true;
  double dropout = 0;
};

/// Bottleneck of each method in DALIB.
inline constexpr bottleneck_options bottleneck_source_only{0, false, 0};
inline constexpr bottleneck_options bottleneck_dann{256, true, 0}; ///< also CDAN
inline constexpr bottleneck_options bottleneck_dan{256, false, 0.5};
inline constexpr bottleneck_options bottleneck_jan{256, true, 0.5}; ///< also MDD (there 1024 wide for ResNet-50)

/// Linear, batch norm, ReLU, dropout as asked for, under the names 0 and 1 that PyTorch's nn.Sequential gives them.
template <class Scalar>
struct bottleneck {
  std::optional<linear<Scalar>> layer;
  std::optional<batch_norm<Scalar>> norm;
  nn::dropout<Scalar> drop;
  index_t out_features = 0;

  bottleneck(index_t in, const bottleneck_options& options, io::random_generator& random)
      : drop(options.dropout, random), out_features(options.width > 0 ? options.width : in) {
    if (options.width <= 0) {
      drop.rate = 0;
      return;
    }
    layer.emplace(in, options.width, random);
    if (options.batch_norm) norm.emplace(options.width);
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    if (!layer) return x;
    return drop(norm ? (*norm)((*layer)(x), activation::relu) : (*layer)(x, activation::relu));
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    if (layer) f("0", *layer);
    if (norm) f("1", *norm);
    f("dropout", drop);
  }
};

template <class Scalar>
struct classifier_output {
  variable<Scalar> logits;
  variable<Scalar> features; ///< after the bottleneck
};

/// Backbone, bottleneck and a linear head: the classifier of source-only, DANN, DAN, JAN and CDAN. As all networks of this file it takes
/// this rank's share of a batch, or what all ranks have, and gives the outputs for the whole batch.
template <class Scalar, class Backbone>
struct image_classifier {
  Backbone backbone;
  nn::bottleneck<Scalar> bottleneck;
  linear<Scalar> head;

  image_classifier(Backbone trunk, index_t classes, const bottleneck_options& options, io::random_generator& random)
      : backbone(std::move(trunk)), bottleneck(backbone.out_features, options, random), head(bottleneck.out_features, classes, random) {}

  index_t features() const { return bottleneck.out_features; }
  index_t classes() const { return head.weight.torch_shape()[0]; }

  classifier_output<Scalar> operator()(const variable<Scalar>& x) {
    const auto features = bottleneck(backbone(ad::scatter_rows(x)));
    return {ad::gather_rows(head(features)), ad::gather_rows(features)};
  }
  /// Backbone, and the rest at the full learning rate. DALIB: 0.1 for a pretrained backbone.
  std::vector<parameter_group<Scalar>> parameter_groups(double backbone_multiplier) {
    return {group_of<Scalar>(backbone, backbone_multiplier), group_of<Scalar>(bottleneck), group_of<Scalar>(head)};
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("backbone", backbone);
    f("bottleneck", bottleneck);
    f("head", head);
  }
};

/// Domain discriminator: linear, BN, ReLU, linear, BN, ReLU, linear(1). It returns the logit; source is label 1.
template <class Scalar>
struct domain_discriminator {
  linear<Scalar> layer1, layer2, layer3;
  batch_norm<Scalar> bn1, bn2;

  domain_discriminator(index_t in, index_t hidden, io::random_generator& random)
      : layer1(in, hidden, random), layer2(hidden, hidden, random), layer3(hidden, 1, random), bn1(hidden), bn2(hidden) {}

  variable<Scalar> operator()(const variable<Scalar>& x) {
    return ad::on_ranks(x, [this](const auto& own) { return layer3(bn2(layer2(bn1(layer1(own), activation::relu)), activation::relu)); });
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("layer1", layer1);
    f("bn1", bn1);
    f("layer2", layer2);
    f("bn2", bn2);
    f("layer3", layer3);
  }
};

/// JAN's adversarial map of one layer's activations: reversal, linear (starts as the identity), reversal. The activations keep
/// the true gradient, the map gets the negated one.
template <class Scalar>
struct theta {
  linear<Scalar> layer1;

  theta(index_t features, io::random_generator& random) : layer1(features, features, random) {
    layer1.weight.variable().mutable_value().setIdentity();
    fill_constant(layer1.bias, 0);
  }

  variable<Scalar> operator()(const variable<Scalar>& x) {
    const auto mapped = ad::on_ranks(ad::gradient_reversal(x, Scalar(1)), [this](const auto& own) { return layer1(own); });
    return ad::gradient_reversal(mapped, Scalar(1));
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("layer1", layer1);
  }
};

/// Classifier head of MCD: dropout, linear, BN, ReLU, dropout, linear, BN, ReLU, linear, with DALIB's names.
template <class Scalar>
struct image_classifier_head {
  nn::dropout<Scalar> drop1, drop2;
  linear<Scalar> linear1, linear2, linear3;
  batch_norm<Scalar> bn1, bn2;

  image_classifier_head(index_t in, index_t classes, index_t width, io::random_generator& random, double rate = 0.5)
      : drop1(rate, random), drop2(rate, random), linear1(in, width, random), linear2(width, width, random),
        linear3(width, classes, random), bn1(width), bn2(width) {}

  variable<Scalar> operator()(const variable<Scalar>& x) {
    return ad::on_ranks(x, [this](const auto& own) {
      const auto first = bn1(linear1(drop1(own)), activation::relu);
      return linear3(bn2(linear2(drop2(first)), activation::relu));
    });
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("head.1", linear1);
    f("head.2", bn1);
    f("head.5", linear2);
    f("head.6", bn2);
    f("head.8", linear3);
    f("dropout1", drop1);
    f("dropout2", drop2);
  }
};

/// One head of the MDD classifier: linear, ReLU, dropout, linear; weights N(0, 0.01), biases 0.
template <class Scalar>
struct mdd_head {
  linear<Scalar> linear1, linear2;
  nn::dropout<Scalar> drop;

  mdd_head(index_t in, index_t width, index_t classes, io::random_generator& random, double rate)
      : linear1(in, width, random), linear2(width, classes, random), drop(rate, random) {
    for (linear<Scalar>* layer : {&linear1, &linear2}) {
      fill_normal(layer->weight, 0.01, random);
      fill_constant(layer->bias, 0);
    }
  }

  variable<Scalar> operator()(const variable<Scalar>& x) { return linear2(drop(linear1(x, activation::relu))); }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("0", linear1);
    f("3", linear2);
    f("dropout", drop);
  }
};

/// Classifier of MDD: bottleneck (weights N(0, 0.005), bias 0.1), a head, and an adversarial head behind a gradient reversal
/// whose coefficient rises to 0.1. Call step() once per training iteration.
template <class Scalar, class Backbone>
struct mdd_classifier {
  struct output {
    variable<Scalar> logits, adversarial_logits, features;
  };
  struct options {
    index_t bottleneck_dim = 1024;
    index_t width = 1024;
    double dropout = 0.5;
  };

  Backbone backbone;
  nn::bottleneck<Scalar> bottleneck;
  mdd_head<Scalar> head, adv_head;
  warm_start_reversal reversal{.alpha = 1, .low = 0, .high = 0.1, .iterations = 1000};
  bool training = true;

  mdd_classifier(Backbone trunk, index_t classes, const options& o, io::random_generator& random)
      : backbone(std::move(trunk)), bottleneck(backbone.out_features, {o.bottleneck_dim, true, o.dropout}, random),
        head(bottleneck.out_features, o.width, classes, random, o.dropout),
        adv_head(bottleneck.out_features, o.width, classes, random, o.dropout) {
    fill_normal(bottleneck.layer->weight, 0.005, random);
    fill_constant(bottleneck.layer->bias, 0.1);
  }

  index_t features() const { return bottleneck.out_features; }

  output operator()(const variable<Scalar>& x) {
    const auto features = bottleneck(backbone(ad::scatter_rows(x)));
    const auto reversed = ad::gradient_reversal(features, static_cast<Scalar>(reversal.coefficient()));
    return {ad::gather_rows(head(features)), ad::gather_rows(adv_head(reversed)), ad::gather_rows(features)};
  }
  /// Advances the reversal's schedule (in training mode).
  void step() {
    reversal.training = training;
    reversal.step();
  }
  std::vector<parameter_group<Scalar>> parameter_groups(double backbone_multiplier) {
    return {group_of<Scalar>(backbone, backbone_multiplier), group_of<Scalar>(bottleneck), group_of<Scalar>(head),
            group_of<Scalar>(adv_head)};
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    f("backbone", backbone);
    f("bottleneck", bottleneck);
    f("head", head);
    f("adv_head", adv_head);
    f("reversal", reversal);
  }
};

} // namespace dalib::nn
