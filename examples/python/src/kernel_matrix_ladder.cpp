#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::gaussian_ladder>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::gaussian_ladder>(const plan&, const request&);
} // namespace dalib_python
