#pragma once
#include <utility>
#include <variant>

#include "backbones.hpp"
#include "resnet.hpp"

namespace dalib::nn {

/// Passes features on: the backbone of a classifier whose real backbone is frozen and was applied beforehand.
template <class Scalar>
struct no_backbone {
  index_t out_features = 0;

  explicit no_backbone(index_t features) : out_features(features) {}

  variable<Scalar> operator()(const variable<Scalar>& x) { return x; }
  template <class Visitor>
  void parts(Visitor&&) {}
};

/// One of the backbones, chosen at run time. A value like all models; its parts are those of the one that it holds.
template <class Scalar>
class any_backbone {
public:
  index_t out_features = 0;

  template <class Backbone>
  explicit any_backbone(Backbone backbone) : out_features(backbone.out_features), chosen_(std::move(backbone)) {}

  variable<Scalar> operator()(const variable<Scalar>& x) {
    return std::visit([&](auto& backbone) { return backbone(x); }, chosen_);
  }
  template <class Visitor>
  void parts(Visitor&& f) {
    std::visit([&](auto& backbone) { backbone.parts(f); }, chosen_);
  }

private:
  std::variant<lenet<Scalar>, resnet<Scalar>, mlp<Scalar>, dense<Scalar>, no_backbone<Scalar>> chosen_;
};

} // namespace dalib::nn
