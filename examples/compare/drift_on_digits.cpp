// Drift detection: does today's batch of digits follow the law of yesterday's? MNIST test images against others of their kind, against
// MNIST-M and against optdigits, and the images that show it most.
#include <dalib/inference.hpp>
#include <trainer/data/digits.hpp>

#include <exception>
#include <iomanip>
#include <iostream>
#include <string>

using namespace dalib;

namespace {

Eigen::MatrixXf images_of(const std::string& domain, Eigen::Index first, Eigen::Index count) {
  return data::load_digits(domain, data::split::test).images.middleRows(first, count);
}

/// Prints p of the energy test and what MMDAgg says; returns whether both see a difference.
bool report(const std::string& name, const Eigen::MatrixXf& reference, const Eigen::MatrixXf& batch) {
  const inference::test_options options{.alpha = 0.01, .draws = 499, .seed = 1};
  const inference::test_result energy = inference::energy_test{}(reference, batch, options);
  const inference::aggregated_test aggregated{inference::fuse_kernel(reference, batch, 3)};
  const inference::aggregated_result many = aggregated(reference, batch, options);
  std::cout << std::left << std::setw(28) << name << "energy test p = " << std::setw(8) << energy.p_value
            << (many.reject ? "drift" : "no evidence of drift") << " (MMDAgg, level 0.01)\n";
  return many.reject && energy.reject;
}

} // namespace

int main() {
  try {
    const Eigen::MatrixXf reference = images_of("mnist", 0, 250);
    const bool same = report("MNIST against MNIST", reference, images_of("mnist", 250, 250));
    const bool coloured = report("MNIST against MNIST-M", reference, images_of("mnistm", 0, 250));
    const bool scanned = report("MNIST against optdigits", reference, images_of("optdigits", 0, 250));

    const auto rows = inference::witness<>{}.largest(reference, images_of("mnistm", 0, 250), 5);
    std::cout << "MNIST-M images that MNIST has the least like of:";
    for (const index_t row : rows.target) std::cout << ' ' << row;
    std::cout << '\n';
    return !same && coloured && scanned ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
