// K Z, and a visitor of a user's own, on device tensors beside the same on host tensors.
#include "conformance/samples.hpp"

#include <dalib/thrust.hpp>

#include <cmath>
#include <doctest/doctest.h>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using engine::pair_set;

namespace users {

/// sum c k and sum c k^2, and the gradient of the first.
struct device_moments {
  static constexpr int numbers = 2;
  static constexpr bool pulls = true;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    pair.pull();
    sums[0] += pair.share();
    sums[1] += pair.counted(pair.coefficient * pair.value() * pair.value());
  }
};

} // namespace users

namespace {

/// The products of all terms, one below the other.
template <class Exec, class Samples, class Kernel, class View, class Workspace>
void products_of(const Exec& exec, const Samples& samples, const Kernel& kernel, pair_set pairs, const View& right,
                 const std::vector<matrix_view<float, typename View::memory>>& out, Workspace& scratch) {
  using memory = typename View::memory;
  const engine::bound_problem problem(exec, scratch, engine::layer_input<float, Kernel, memory>{samples, kernel, {}, {}});
  const auto& one = std::get<0>(problem.layers());
  if (out.size() == 1)
    engine::kernel_product(exec, one, pairs, right, out[0], scratch);
  else
    engine::kernel_products(exec, one, pairs, right, out, scratch);
}

} // namespace

TEST_CASE("device: K Z of all pairs, distinct ones and across, of a sum and of its terms, close pairs among them") {
  matrix<float> x = normal_rows<float>(150, 9, 1), y = normal_rows<float>(90, 9, 2, 1.2, 0.3);
  x.row(1) = x.row(0) * 1.0001f;
  y.row(5) = x.row(7);
  const auto kernel = kernel::gaussian_ladder(0.5, 2) + kernel::energy{};
  const device_matrix dx(x), dy(y);
  for (const pair_set pairs : {pair_set::all, pair_set::distinct, pair_set::across})
    for (const std::size_t results : {std::size_t{1}, std::size_t{3}}) {
      CAPTURE(static_cast<int>(pairs));
      CAPTURE(results);
      const bool across = pairs == pair_set::across;
      const matrix<float> z = normal_rows<float>(across ? 90 : 240, 5, 3), none = matrix<float>::Zero(across ? 150 : 240, 5);
      const device_matrix dz(z);
      std::vector<matrix<float>> host(results, none);
      std::vector<device_matrix<float>> device(results, device_matrix(none));
      std::vector<matrix_view<float>> host_out;
      std::vector<matrix_view<float, device_memory>> device_out;
      for (std::size_t k = 0; k < results; ++k) {
        host_out.push_back(view_of(host[k]));
        device_out.push_back(view_of(device[k]));
      }
      workspace scratch;
      device_workspace device_scratch;
      products_of(exec::serial{}, engine::joint_sample<float>{sample_of(x), sample_of(y)}, kernel, pairs, view_of(z), host_out, scratch);
      products_of(exec::thrust{}, engine::joint_sample<float, device_memory>{sample_of(dx), sample_of(dy)}, kernel, pairs, view_of(dz),
                  device_out, device_scratch);
      for (std::size_t k = 0; k < results; ++k) {
        CHECK(host[k].norm() > 0);
        CHECK((matrix<float>(device[k].to_host()) - host[k]).norm() < 1e-5f * host[k].norm());
      }
    }
}

TEST_CASE("device: a user's visitor adds up and pulls as on the host") {
  matrix<float> x = normal_rows<float>(80, 9, 1), y = normal_rows<float>(60, 9, 2, 1.2, 0.3);
  x.row(1) = x.row(0) * 1.0001f;
  const auto kernel = kernel::gaussian_ladder{} + 0.1 * kernel::linear{};
  matrix<float> gx = x, gy = y;
  const auto expected = visit_pairs(exec::serial{}, users::device_moments{}, kernel, estimator::biased{}, x, y, gradients{gx, gy});
  const device_matrix dx(x), dy(y);
  device_matrix dgx(x), dgy(y);
  const auto found = visit_pairs(exec::thrust{}, users::device_moments{}, kernel, estimator::biased{}, dx, dy, gradients{dgx, dgy});
  CHECK(std::abs(found[0] - expected[0]) < 1e-5);
  CHECK(std::abs(found[1] - expected[1]) < 1e-5);
  CHECK((matrix<float>(dgx.to_host()) - gx).norm() < 1e-5f * gx.norm());
  CHECK((matrix<float>(dgy.to_host()) - gy).norm() < 1e-5f * gy.norm());
}

TEST_CASE("device: log-sum-exp of rows as on the host") {
  const matrix<float> x = normal_rows<float>(150, 9, 1), y = normal_rows<float>(90, 9, 2, 1.2, 0.3);
  const device_matrix dx(x), dy(y);
  for (const pair_set pairs : {pair_set::all, pair_set::distinct, pair_set::across}) {
    const bool across = pairs == pair_set::across;
    const matrix<float> potential = normal_rows<float>(across ? 90 : 240, 1, 3), none = matrix<float>::Zero(across ? 150 : 240, 1);
    matrix<float> out = none;
    const device_matrix dp(potential);
    device_matrix found(none);
    workspace scratch;
    device_workspace device_scratch;
    using host_input = engine::layer_input<float, kernel::energy>;
    using device_input = engine::layer_input<float, kernel::energy, device_memory>;
    const engine::bound_problem host(exec::serial{}, scratch, host_input{{sample_of(x), sample_of(y)}, {}, {}, {}});
    const engine::bound_problem device(exec::thrust{}, device_scratch, device_input{{sample_of(dx), sample_of(dy)}, {}, {}, {}});
    engine::row_states(exec::serial{}, engine::log_sum_exp{}, std::get<0>(host.layers()), pairs, view_of(potential), view_of(out), scratch);
    engine::row_states(exec::thrust{}, engine::log_sum_exp{}, std::get<0>(device.layers()), pairs, view_of(dp), view_of(found),
                       device_scratch);
    CHECK((matrix<float>(found.to_host()) - out).cwiseAbs().maxCoeff() < 1e-5f);
  }
}

TEST_CASE("device: statistics of each kernel of a sum as on the host") {
  const matrix<float> x = normal_rows<float>(60, 9, 1), y = normal_rows<float>(60, 9, 2, 1.2, 0.3);
  const device_matrix dx(x), dy(y);
  const auto check = [&](const auto& loss) {
    const selection::kernel_statistics expected = kernel_statistics_of(exec::serial{}, loss, x, y);
    const selection::kernel_statistics found = kernel_statistics_of(exec::thrust{}, loss, dx, dy);
    REQUIRE(found.size() == expected.size());
    for (int k = 0; k < found.size(); ++k) {
      CHECK(found.values[static_cast<std::size_t>(k)] == doctest::Approx(expected.values[static_cast<std::size_t>(k)]).epsilon(1e-6));
      for (int l = 0; l < found.size(); ++l)
        CHECK(found.covariance_of(k, l) == doctest::Approx(expected.covariance_of(k, l)).epsilon(1e-5));
    }
  };
  check(mmd{kernel::gaussian_ladder(0.5, 3) + kernel::energy{}, estimator::unbiased{}});
  check(mmd{kernel::gaussian_ladder(0.5, 2), estimator::linear_time{}});
}
