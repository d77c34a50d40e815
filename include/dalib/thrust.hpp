/// @file
/// The same measures on tensors in the memory of a Thrust device system; see thrust.md. Compile with nvcc for CUDA, or with any compiler
/// and -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_OMP (or _CPP).
#pragma once

#include "dalib/dalib.hpp"

#include "dalib/engine/thrust/backend.hpp"
#include "dalib/execution/thrust.hpp"
#include "dalib/tensor/thrust.hpp"
