#include "joint_mmd.hpp"

namespace dalib_python {
template double run_joint_mmd<family::gaussian_ladder, family::gaussian_ladder>(const plan&, const request&);
} // namespace dalib_python
