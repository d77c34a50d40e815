/// @file
/// Which compiled function serves which kernel. The functions themselves are instantiated in files of their own.
#include "plan.hpp"

namespace dalib_python {

template <family Kind>
double run_mmd(const plan&, const request&);
template <family Kind>
double run_kernel_matrix(const plan&, const request&);
template <family Kind>
double run_kernel_matrix_gradient(const plan&, const request&);
template <family... Kinds>
double run_joint_mmd(const plan&, const request&);

double run_user(const plan& p, const request& r) {
  const kernel_choice& kernel = p.kernels.front();
  char message[1024] = {};
  c_call call{static_cast<int>(r.scalar),
              r.threads,
              r.gradient ? 1 : 0,
              static_cast<int>(p.chosen.estimator.kind),
              p.chosen.estimator.block_rows,
              r.scale,
              r.inputs.data(),
              static_cast<std::int64_t>(r.inputs.size()),
              r.outputs.data(),
              static_cast<std::int64_t>(r.outputs.size()),
              r.weights.data(),
              kernel.user_numbers.data(),
              0,
              message,
              sizeof message};
  if (kernel.user(&call) != 0) throw std::invalid_argument(message);
  return call.value;
}

#define DALIB_PYTHON_DISPATCH(NAME, FUNCTION)                                                                                              \
  plan::function NAME(family kind) {                                                                                                       \
    switch (kind) {                                                                                                                        \
    case family::gaussian_ladder:                                                                                                          \
      return FUNCTION<family::gaussian_ladder>;                                                                                            \
    case family::radial:                                                                                                                   \
      return FUNCTION<family::radial>;                                                                                                     \
    case family::linear:                                                                                                                   \
      return FUNCTION<family::linear>;                                                                                                     \
    case family::polynomial:                                                                                                               \
      return FUNCTION<family::polynomial>;                                                                                                 \
    case family::mixed:                                                                                                                    \
      return FUNCTION<family::mixed>;                                                                                                      \
    case family::mixed_polynomial:                                                                                                         \
      return FUNCTION<family::mixed_polynomial>;                                                                                           \
    case family::cosine:                                                                                                                   \
      return FUNCTION<family::cosine>;                                                                                                     \
    case family::laplacian_l1:                                                                                                             \
      return FUNCTION<family::laplacian_l1>;                                                                                               \
    case family::user:                                                                                                                     \
      return run_user;                                                                                                                     \
    }                                                                                                                                      \
    return nullptr;                                                                                                                        \
  }
DALIB_PYTHON_DISPATCH(mmd_for, run_mmd)
DALIB_PYTHON_DISPATCH(kernel_matrix_for, run_kernel_matrix)
DALIB_PYTHON_DISPATCH(kernel_matrix_gradient_for, run_kernel_matrix_gradient)

plan::function joint_mmd_for(const std::vector<kernel_choice>& kernels) {
  if (kernels.size() == 2 && kernels[0].kind == family::gaussian_ladder && kernels[1].kind == family::gaussian_ladder)
    return run_joint_mmd<family::gaussian_ladder, family::gaussian_ladder>;
  bool radial = true;
  for (const kernel_choice& one : kernels) radial = radial && one.kind == family::radial;
  if (radial && kernels.size() == 2) return run_joint_mmd<family::radial, family::radial>;
  if (radial && kernels.size() == 3) return run_joint_mmd<family::radial, family::radial, family::radial>;
  throw std::invalid_argument("joint_mmd: " + std::to_string(kernels.size()) +
                              " layers with these kernels are not compiled into this package; compiled are 2 and 3 layers, each with any "
                              "sum or product of kernels of the squared distance");
}

} // namespace dalib_python
