/// @file
/// Opt-in: tests of two samples, of dependence and of fit, witness functions and test power, for tensors in host memory.
/// dalib/inference.md says which test when.
#pragma once

#include "dalib/dalib.hpp"

#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/deep_permutation_test.hpp"
#include "dalib/inference/deep_test_power.hpp"
#include "dalib/inference/independence_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/mean_embedding_test.hpp"
#include "dalib/inference/nystrom_test.hpp"
#include "dalib/inference/permutation_test.hpp"
#include "dalib/inference/spectrum_test.hpp"
#include "dalib/inference/stein_test.hpp"
#include "dalib/inference/test_power.hpp"
#include "dalib/inference/wild_bootstrap_test.hpp"
#include "dalib/inference/witness.hpp"
