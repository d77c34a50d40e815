#include "kernel_matrix.hpp"

namespace dalib_python {
template double run_kernel_matrix<family::cosine>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::cosine>(const plan&, const request&);
template double run_kernel_matrix<family::laplacian_l1>(const plan&, const request&);
template double run_kernel_matrix_gradient<family::laplacian_l1>(const plan&, const request&);
} // namespace dalib_python
