/// @file
/// The tests of dalib/inference.hpp whose null law is fitted or known, with any kernel of the squared distance.
#include "inference.hpp"

#include "dalib/inference/independence_test.hpp"
#include "dalib/inference/linear_time_test.hpp"
#include "dalib/inference/spectrum_test.hpp"

namespace dalib_python {

namespace i = dalib::inference;

namespace {

test_answer answer_of_normal(i::normal_result found) {
  test_answer answer = answer_of(found);
  answer.details = {{"variance", found.variance}, {"z", found.z}};
  answer.null_sample = std::move(found.terms);
  return answer;
}

test_answer answer_of_gamma(const i::gamma_result& found) {
  test_answer answer = answer_of(found);
  answer.details = {{"mean", found.mean}, {"variance", found.variance}, {"shape", found.shape}, {"scale", found.scale}};
  return answer;
}

test_answer answer_of_spectrum(i::spectrum_result found) {
  test_answer answer = answer_of(found);
  answer.values = std::move(found.eigenvalues);
  return answer;
}

} // namespace

bool run_fitted_test(const test_request& r, test_answer& answer) {
  const dalib::exec::openmp execution{r.threads};
  const auto x = r.inputs[0].read<double>(), y = r.inputs.size() > 1 ? r.inputs[1].read<double>() : x;
  const auto options = options_of(r);
  if (r.name == "linear_time_test")
    answer = answer_of_normal(i::linear_time_test{kernel_of(r, 0), static_cast<i::linear_variance>(r.form)}(execution, x, y, options));
  else if (r.name == "block_test")
    answer = answer_of_normal(i::block_test{kernel_of(r, 0), r.whole(0), static_cast<i::block_pairs>(r.form)}(execution, x, y, options));
  else if (r.name == "spectrum_test" && r.biased)
    answer = answer_of_spectrum(i::spectrum_test{kernel_of(r, 0), dalib::estimator::biased{}, r.whole(0)}(execution, x, y, options));
  else if (r.name == "spectrum_test")
    answer = answer_of_spectrum(i::spectrum_test{kernel_of(r, 0), dalib::estimator::unbiased{}, r.whole(0)}(execution, x, y, options));
  else if (r.name == "gamma_test")
    answer = answer_of_gamma(i::gamma_test{kernel_of(r, 0)}(execution, x, y, options));
  else if (r.name == "independence_gamma_test")
    answer = answer_of_gamma(i::independence_gamma_test{i::hsic{kernel_of(r, 0), kernel_of(r, 1)}}(execution, x, y, options));
  else
    return false;
  return true;
}

} // namespace dalib_python
