#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::mixed>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::mixed>(const plan&, const request&);
template double run_kernel_matrix<family::mixed_polynomial>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::mixed_polynomial>(const plan&, const request&);
} // namespace dalib_python
