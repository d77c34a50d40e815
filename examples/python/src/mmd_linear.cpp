#include "mmd.hpp"

namespace dalib_python {
template double run_mmd<family::linear>(const plan&, const request&);
template double run_mmd<family::polynomial>(const plan&, const request&);
} // namespace dalib_python
