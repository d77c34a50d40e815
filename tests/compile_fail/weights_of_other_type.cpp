// expect: dalib: weights must have the scalar type of the rows
#include <dalib/dalib.hpp>
#include <vector>

void weights_of_other_type(const Eigen::MatrixXf& zs);

void weights_of_other_type(const Eigen::MatrixXf& zs) { dalib::weighted(zs, std::vector<double>(3, 1.0)); }
