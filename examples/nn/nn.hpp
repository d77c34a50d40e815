#pragma once
/// Layers, models and optimisers of the example trainers.
#include "adam.hpp"
#include "backbones.hpp"
#include "classifiers.hpp"
#include "clipping.hpp"
#include "layers.hpp"
#include "mean_teacher.hpp"
#include "module.hpp"
#include "parameter.hpp"
#include "rates.hpp"
#include "resnet.hpp"
#include "sgd.hpp"
