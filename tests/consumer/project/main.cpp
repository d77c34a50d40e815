#include <Eigen/Core>

int main() { return Eigen::Matrix2d::Identity().trace() == 2.0 ? 0 : 1; }
