#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::linear>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::linear>(const plan&, const request&);
template double run_kernel_matrix<family::polynomial>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::polynomial>(const plan&, const request&);
} // namespace dalib_python
