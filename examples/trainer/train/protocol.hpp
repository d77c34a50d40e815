#pragma once
// DALIB's settings for image data sets.

#include <functional>
#include <string_view>

namespace dalib::train {

/// How DALIB trains a method on a data set of images, from pretrained weights (its examples/*.py and *.sh). SGD has Nesterov momentum 0.9,
/// batches are 32 + 32 images.
struct image_protocol {
  double learning_rate = 0.01;
  double lr_gamma = 0.001;
  double weight_decay = 5e-4;
  double backbone_multiplier = 0.1;
  long iterations = 20000;
  long discriminator_width = 1024; ///< hidden units of domain discriminators
  long head_width = 1024;          ///< of the bottleneck and the heads of MDD, the heads of MCD
  bool centre_crop = false;        ///< trains on the middle of the images in place of random parts
  double generator_momentum = 0.9; ///< MCD: of the backbone's optimiser
};

/// Iterations by the name of the data set; image lists count as Office-31.
struct iterations_of_data {
  long office31, office_home, visda2017, domainnet;

  long operator()(std::string_view data) const {
    return data == "office-home" ? office_home : data == "visda2017" ? visda2017 : data == "domainnet" ? domainnet : office31;
  }
};

/// The protocol of a method by the name of the data set; without one the defaults above.
using protocol_of_data = std::function<image_protocol(std::string_view data)>;

} // namespace dalib::train
