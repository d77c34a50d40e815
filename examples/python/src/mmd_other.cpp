#include "mmd.hpp"

namespace dalib_python {
template double run_mmd<family::cosine>(const plan&, const request&);
template double run_mmd<family::laplacian_l1>(const plan&, const request&);
} // namespace dalib_python
