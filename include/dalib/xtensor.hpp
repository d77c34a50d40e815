/// @file
/// Opt-in: xtensor tensors as arguments of every measure (target dalib::xtensor).
#pragma once

#include "dalib/dalib.hpp"
#include "dalib/tensor/xtensor.hpp"
