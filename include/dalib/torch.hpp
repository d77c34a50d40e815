/// @file
/// Opt-in: libtorch's tensors as arguments of every measure (target dalib::torch).
#pragma once

#include "dalib/dalib.hpp"
#include "dalib/tensor/torch.hpp"
