#include "joint_mmd.hpp"

namespace dalib_python {
template double run_joint_mmd<family::radial, family::radial>(const plan&, const request&);
} // namespace dalib_python
