#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::gaussian>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::gaussian>(const plan&, const request&);
} // namespace dalib_python
