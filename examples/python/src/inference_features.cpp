/// @file
/// The tests of dalib/inference.hpp that see rows through few features, the test of a law by its scores, and MMD-FUSE.
#include "inference.hpp"

#include "dalib/inference/aggregated_test.hpp"
#include "dalib/inference/mean_embedding_test.hpp"
#include "dalib/inference/nystrom_test.hpp"
#include "dalib/inference/stein_test.hpp"

namespace dalib_python {

namespace i = dalib::inference;

bool run_feature_test(const test_request& r, test_answer& answer) {
  const dalib::exec::openmp execution{r.threads};
  const auto x = r.inputs[0].read<double>(), y = r.inputs.size() > 1 ? r.inputs[1].read<double>() : x;
  const auto options = options_of(r);
  if (r.name == "nystrom_test") {
    const i::nystrom_test test{kernel_of(r, 0), r.whole(0), r.number(1), static_cast<std::uint64_t>(r.number(2))};
    const i::nystrom_result found = test(execution, x, y, options);
    answer = answer_of(found);
    answer.details = {{"landmarks", static_cast<double>(found.landmarks)}};
  } else if (r.name == "mean_embedding_test") {
    answer = answer_of(i::mean_embedding_test{kernel_of(r, 0), r.number(0)}(execution, x, y, r.inputs[2].read<double>(), options));
  } else if (r.name == "fuse_test") {
    i::fuse_result found = i::fuse_test{i::fuse_kernel(x, y, r.kernel_count), r.number(0)}(execution, x, y, options);
    answer = answer_of(found);
    answer.values = std::move(found.statistics);
  } else if (r.name == "stein_test") { // y: the scores; a Gaussian's sigma, or c and beta
    const auto form = static_cast<i::stein_form>(r.form);
    answer = r.numbers.size() == 1
                 ? answer_of(i::stein_test{i::stein_gaussian{r.number(0)}, form}(execution, x, y, options))
                 : answer_of(i::stein_test{i::stein_multiquadric{r.number(0), r.number(1)}, form}(execution, x, y, options));
  } else {
    return false;
  }
  return true;
}

} // namespace dalib_python
