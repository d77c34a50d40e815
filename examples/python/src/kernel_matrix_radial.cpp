#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::radial>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::radial>(const plan&, const request&);
} // namespace dalib_python
