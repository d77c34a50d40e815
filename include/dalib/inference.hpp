/// @file
/// Opt-in: tests of two samples, of dependence and of fit, witness functions and test power, for tensors in host memory.
#pragma once

#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/spectrum_test.hpp"
#include "dalib/inference/wild_bootstrap_test.hpp"
