/// @file
/// Everything for Eigen tensors on the CPU. Opt-in besides: dalib/xtensor.hpp.
#pragma once

#include "dalib/config.hpp"

#include "dalib/concepts.hpp"
#include "dalib/tensor/eigen.hpp"
#include "dalib/tensor/eigen_graph.hpp"

#include "dalib/kernel/additive_statistics.hpp"
#include "dalib/kernel/any.hpp"
#include "dalib/kernel/composite.hpp"
#include "dalib/kernel/from_value.hpp"
#include "dalib/kernel/gaussian.hpp"
#include "dalib/kernel/linear.hpp"
#include "dalib/kernel/radial.hpp"
#include "dalib/kernel/terms.hpp"

#include "dalib/estimator/estimators.hpp"
#include "dalib/estimator/incomplete.hpp"

#include "dalib/execution/openmp.hpp"
#include "dalib/execution/serial.hpp"

#include "dalib/measure/warm_start_reversal.hpp"
#include "dalib/reduction/reductions.hpp"

#include "dalib/engine/kernel_matrix.hpp"
#include "dalib/engine/kernel_products.hpp"
#include "dalib/engine/row_states.hpp"
#include "dalib/engine/visit_pairs.hpp"
#include "dalib/measure/checked.hpp"
#include "dalib/measure/class_balance.hpp"
#include "dalib/measure/classifier_discrepancy.hpp"
#include "dalib/measure/conditional_domain_adversarial_loss.hpp"
#include "dalib/measure/domain_adversarial.hpp"
#include "dalib/measure/joint_mmd.hpp"
#include "dalib/measure/margin_disparity.hpp"
#include "dalib/measure/mmd.hpp"
#include "dalib/measure/multi_kernel.hpp"

#include "dalib/kernel_selection/select_kernel_weights.hpp"

#include "dalib/compat/binary_cross_entropy.hpp"
#include "dalib/compat/entropy_conditioning.hpp"
#include "dalib/compat/estimators.hpp"
#include "dalib/compat/quadratic_program.hpp"
#include "dalib/compat/shift_log.hpp"
