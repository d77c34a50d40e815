// expect: this program is correct
#include <Eigen/Core>

double trace_of_identity();

double trace_of_identity() { return Eigen::Matrix2d::Identity().trace(); }
