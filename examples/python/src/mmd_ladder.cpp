#include "mmd.hpp"

namespace dalib_python {
template double run_mmd<family::gaussian_ladder>(const plan&, const request&);
} // namespace dalib_python
