#include "mmd.hpp"

namespace dalib_python {
template double run_mmd<family::radial>(const plan&, const request&);
} // namespace dalib_python
