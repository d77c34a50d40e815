/// @file
/// Everything for Eigen tensors on the CPU. Opt-in besides: dalib/xtensor.hpp.
#pragma once

#include "dalib/config.hpp"

#include "dalib/core/concepts.hpp"
#include "dalib/tensor/eigen.hpp"

#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/from_value.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/linear.hpp"
#include "dalib/kernel/radial.hpp"

#include "dalib/estimator/estimators.hpp"

#include "dalib/execution/openmp.hpp"
#include "dalib/execution/serial.hpp"

#include "dalib/measure/checked.hpp"
#include "dalib/measure/kernel_matrix.hpp"
#include "dalib/measure/mmd.hpp"
#include "dalib/measure/multi_kernel.hpp"
