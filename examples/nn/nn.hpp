#pragma once
/// Layers, models and optimiser of the example trainers.
#include "backbones.hpp"
#include "classifiers.hpp"
#include "layers.hpp"
#include "module.hpp"
#include "parameter.hpp"
#include "resnet.hpp"
#include "sgd.hpp"
