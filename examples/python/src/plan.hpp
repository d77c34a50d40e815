/// @file
/// A measure with everything chosen but its arrays, and the table of measures.
#pragma once

#include "c_call.hpp"
#include "policies.hpp"
#include "radial_expression.hpp"
#include "request.hpp"

#include "dalib/kernel/linear.hpp"

#include <string>
#include <vector>

namespace dalib_python {

/// The compiled kernels. A Gaussian alone is a ladder of one.
enum class family { gaussian_ladder, radial, linear, polynomial, mixed, mixed_polynomial, cosine, laplacian_l1, user };

/// A kernel as Python describes it. Which members count depends on the family.
struct kernel_choice {
  family kind = family::gaussian_ladder;
  double first_alpha = 0.125; ///< of the ladder
  int count = 5;
  any_bandwidth bandwidth{}; ///< of the ladder
  radial_expression expression{};
  double factor = 1;        ///< of what stands alone
  double linear_weight = 0; ///< of the linear kernel beside an expression
  double polynomial_weight = 0;
  dalib::kernel::polynomial polynomial{};
  double l1_scale = 1;
  c_function user = nullptr;          ///< of a library made for a user's kernel
  std::vector<double> user_numbers{}; ///< its factor and parameters
};

enum class reduction_choice { none, mean, sum };

/// What a plan was made with, besides its kernels.
struct choices {
  estimator_choice estimator{};
  reduction_choice reduction = reduction_choice::mean;
  any_conditioning conditioning{};
  std::vector<double> numbers{}; ///< by the measure's parameters
};

struct plan {
  using function = double (*)(const plan&, const request&);
  function run = nullptr;
  std::vector<kernel_choice> kernels{};
  choices chosen{};
};

/// One line of the table of measures without a kernel.
struct measure_entry {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<int> differentiable; ///< places of the inputs that have gradients
  std::vector<std::pair<const char*, double>> parameters;
  bool has_reduction;
  bool has_conditioning;
  std::vector<int> values_of;      ///< inputs whose rows make up the values of reduction "none"
  std::vector<const char*> labels; ///< arguments that are class labels, after the inputs
  const char* documentation;
  plan::function run;
};
const std::vector<measure_entry>& measures();

/// Runs a plan whose kernel is the user's.
double run_user(const plan& p, const request& r);

plan::function mmd_for(family kind);
/// @throws std::invalid_argument for a kernel that is not compiled.
plan::function weighted_mmd_for(family kind);
plan::function kernel_matrix_for(family kind);
plan::function kernel_matrix_gradient_for(family kind);
/// @throws std::invalid_argument for layers and kernels that are not compiled.
plan::function joint_mmd_for(const std::vector<kernel_choice>& kernels);

} // namespace dalib_python
