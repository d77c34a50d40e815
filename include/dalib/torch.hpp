/// @file
/// Opt-in: libtorch's tensors as arguments of every measure (target dalib::torch). Under nvcc, or with dalib/thrust.hpp, those on the
/// device too.
#pragma once

#include "dalib/dalib.hpp"
#if defined(__CUDACC__)
#  include "dalib/thrust.hpp"
#endif
#include "dalib/tensor/torch.hpp"
#include "dalib/tensor/torch_device.hpp"
