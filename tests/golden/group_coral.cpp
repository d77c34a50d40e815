/// Groups coral and cmd: distances of covariances and of central moments.
#include "loss_cases.hpp"

#include <dalib/compat/coral_with_means.hpp>
#include <dalib/measure/central_moment_discrepancy.hpp>
#include <dalib/measure/log_euclidean_coral.hpp>

namespace {

using namespace golden;

/// Covariance of the rows of an input, as the measure has it.
array covariance(const test_case& test, const char* name) {
  const auto rows = dense_input<double>(test, name);
  const Eigen::MatrixXd centred = rows.rowwise() - rows.colwise().mean();
  const Eigen::MatrixXd c = centred.transpose() * centred / static_cast<double>(rows.rows() - 1);
  return {{c.rows(), c.cols()}, {c.data(), c.data() + c.size()}};
}

template <class T>
std::vector<outcome> run(const test_case& test) {
  if (test.method == "CORAL")
    return run_two<T>(test, "f_s", "f_t", dalib::coral{}, {{"cov_s", covariance(test, "f_s")}, {"cov_t", covariance(test, "f_t")}});
  if (test.method == "CORAL plus mean alignment") return run_two<T>(test, "f_s", "f_t", dalib::compat::coral_with_means{});
  if (test.method == "log-Euclidean CORAL") return run_two<T>(test, "f_s", "f_t", dalib::log_euclidean_coral{test.param<double>("ridge")});
  unknown("method", test.method);
}

template <class T>
std::vector<outcome> run_cmd(const test_case& test) {
  if (test.method != "CMD") unknown("method", test.method);
  const dalib::central_moment_discrepancy loss{test.param<int>("K"), test.param<double>("a"), test.param<double>("b")};
  return run_two<T>(test, "f_s", "f_t", loss,
                    {{"terms", vector_array(loss.terms(dense_input<T>(test, "f_s"), dense_input<T>(test, "f_t")))}});
}

const claim_group coral("coral", both_precisions([]<class T>(const test_case& test) { return run<T>(test); }));
const claim_group cmd("cmd", both_precisions([]<class T>(const test_case& test) { return run_cmd<T>(test); }));

} // namespace
