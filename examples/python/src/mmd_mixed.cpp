#include "mmd.hpp"

namespace dalib_python {
template double run_mmd<family::mixed>(const plan&, const request&);
template double run_mmd<family::mixed_polynomial>(const plan&, const request&);
} // namespace dalib_python
