#pragma once
// A sample in memory.

#include <Eigen/Core>

#include <cstddef>
#include <string>
#include <vector>

namespace dalib::compare {

/// One file's rows. Rows with a number that is not finite are left out and counted.
struct loaded_sample {
  using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  std::string name;
  matrix rows;
  std::vector<std::string> features; ///< names from a header line; empty if there is none
  std::vector<std::size_t> left_out; ///< rows of the file, from 1, that are not finite
};

/// Reads FILE, or FILE:TENSOR of a .safetensors file (without a name: its only tensor of rank 2). Throws std::runtime_error with the file's
/// name, for text also with line and column, if it cannot be read or has no rows.
loaded_sample read_sample(const std::string& argument);

} // namespace dalib::compare
