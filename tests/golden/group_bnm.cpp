/// Group bnm: batch nuclear norm, its fast form, Frobenius norm.
#include "loss_cases.hpp"

#include <dalib/measure/batch_nuclear_norm.hpp>
#include <dalib/measure/fast_batch_nuclear_norm.hpp>

namespace {

using namespace golden;

/// Softmax of the logits in double.
Eigen::MatrixXd predictions(const test_case& test) {
  Eigen::MatrixXd p = dense_input<double>(test, "y_t");
  for (Eigen::Index i = 0; i < p.rows(); ++i) {
    p.row(i).array() = (p.row(i).array() - p.row(i).maxCoeff()).exp();
    p.row(i) /= p.row(i).sum();
  }
  return p;
}
array values_of(const Eigen::VectorXd& values) {
  return array(std::span<const double>(values.data(), static_cast<std::size_t>(values.size())));
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  using dalib::nuclear_normalisation;
  if (test.method == "BNM")
    return run_one<T>(test, "y_t", dalib::batch_nuclear_norm{},
                      {{"singular_values", array(std::span<const double>(dalib::detail::singular_values(predictions(test))))}});
  if (test.method == "BNM, mean of the singular values")
    return run_one<T>(test, "y_t", dalib::batch_nuclear_norm{nuclear_normalisation::singular_values});
  if (test.method == "FBNM")
    return run_one<T>(test, "y_t", dalib::fast_batch_nuclear_norm{},
                      {{"column_norms", values_of(predictions(test).colwise().norm().transpose())}});
  if (test.method == "BFM") return run_one<T>(test, "y_t", dalib::batch_frobenius_norm{});
  unknown("method", test.method);
}

const claim_group group("bnm", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));

} // namespace
