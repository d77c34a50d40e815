/// @file
/// libtorch's tensors as arguments of every measure: the same numbers as Eigen's, gradients by autograd, refusals.
#include <dalib/torch.hpp>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <string>

#undef CHECK // c10 has one, which ends the program
#include <doctest/doctest.h>

using namespace dalib;

namespace {

at::Tensor normal(std::vector<int64_t> sizes, at::ScalarType type = at::kDouble) {
  static const bool seeded = [] { // libtorch draws its own seed otherwise
    at::manual_seed(7);
    return true;
  }();
  static_cast<void>(seeded);
  return at::randn(sizes, at::TensorOptions(type));
}

template <class T>
auto matrix_of(const at::Tensor& tensor) {
  const matrix_view<const T> view = torch_view<T>(tensor);
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> result(view.rows, view.cols);
  for (index_t i = 0; i < view.rows; ++i)
    for (index_t j = 0; j < view.cols; ++j) result(i, j) = view(i, j);
  return result;
}

template <class T>
double difference(const at::Tensor& got, const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& want) {
  return static_cast<double>((matrix_of<T>(got) - want).cwiseAbs().maxCoeff());
}

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

} // namespace

TEST_CASE_TEMPLATE("mmd of tensors is that of matrices, with any strides", T, float, double) {
  const auto type = c10::CppTypeToScalarType<T>::value;
  const at::Tensor x = normal({12, 10}, type).slice(1, 0, 10, 2).requires_grad_(true); // strides 10, 2
  const at::Tensor y = normal({5, 9}, type).t().requires_grad_(true);
  const mmd loss{};
  const at::Tensor value = loss(x, y);
  const auto [want, gx, gy] = value_and_gradient(loss, matrix_of<T>(x), matrix_of<T>(y));
  CHECK((value.scalar_type() == type));
  CHECK(static_cast<double>(value.template item<T>()) ==
        doctest::Approx(static_cast<double>(want)).epsilon(std::is_same_v<T, float> ? 1e-5 : 1e-13));
  const auto found = torch::autograd::grad({3 * value}, {x, y});
  CHECK(difference<T>(found[0], 3 * gx) < (std::is_same_v<T, float> ? 2e-6 : 1e-14));
  CHECK(difference<T>(found[1], 3 * gy) < (std::is_same_v<T, float> ? 2e-6 : 1e-14));
  CHECK(gx.norm() > 0);
}

TEST_CASE("only what requires a gradient gets one") {
  const at::Tensor x = normal({6, 3}).requires_grad_(true), y = normal({5, 3});
  const at::Tensor value = mmd{}(x, y);
  value.backward();
  CHECK(x.grad().defined());
  CHECK_FALSE(y.grad().defined());
  const at::NoGradGuard guard;
  CHECK_FALSE(mmd{}(x, y).requires_grad());
}

TEST_CASE("joint mmd and losses of class scores") {
  const at::Tensor f_s = normal({8, 4}).requires_grad_(true), f_t = normal({6, 4}), p_s = normal({8, 3}),
                   p_t = normal({6, 3}).requires_grad_(true);
  const at::Tensor joint = joint_mmd{}(layers(f_s, p_s), layers(f_t, p_t));
  CHECK(joint.item<double>() ==
        joint_mmd{}(layers(matrix_of<double>(f_s), matrix_of<double>(p_s)), layers(matrix_of<double>(f_t), matrix_of<double>(p_t))));
  joint.backward();
  CHECK(f_s.grad().abs().sum().item<double>() > 0);
  CHECK(p_t.grad().abs().sum().item<double>() > 0);

  const at::Tensor a_s = normal({8, 3}).requires_grad_(true), a_t = normal({6, 3}).requires_grad_(true);
  const at::Tensor disparity = margin_disparity{}(p_s, a_s, p_t, a_t);
  CHECK(disparity.item<double>() ==
        doctest::Approx(margin_disparity{}(matrix_of<double>(p_s), matrix_of<double>(a_s), matrix_of<double>(p_t), matrix_of<double>(a_t)))
            .epsilon(1e-13));
  const auto found = torch::autograd::grad({disparity}, {a_s, a_t});
  CHECK(found[0].abs().sum().item<double>() > 0);
  CHECK(found[1].abs().sum().item<double>() > 0);
}

TEST_CASE("the losses with a discriminator inside") {
  const at::Tensor f_s = normal({8, 4}).requires_grad_(true), f_t = normal({6, 4}), g_s = normal({8, 3}), g_t = normal({6, 3});
  const at::Tensor w = normal({4, 1}).requires_grad_(true), v = normal({12, 1}).requires_grad_(true);
  domain_adversarial_loss dann{[&](const at::Tensor& f) { return at::matmul(f, w); }, warm_start_reversal{.alpha = 10, .iteration = 500}};
  const auto result = dann(f_s, f_t);
  const auto plain = domain_adversarial{}(matrix_of<double>(at::matmul(f_s, w)), matrix_of<double>(at::matmul(f_t, w)));
  CHECK(result.loss.item<double>() == doctest::Approx(plain).epsilon(1e-14));
  CHECK((result.accuracy >= 0 && result.accuracy <= 100));
  const double lambda = warm_start_reversal{.alpha = 10, .iteration = 500}.coefficient();
  const auto through = torch::autograd::grad({result.loss}, {f_s, w});
  const at::Tensor logits_s = at::matmul(f_s, w);
  const auto [value, g, unused] =
      value_and_gradient(domain_adversarial{}, matrix_of<double>(logits_s), matrix_of<double>(at::matmul(f_t, w)));
  const Eigen::MatrixXd want = -lambda * g * matrix_of<double>(w).transpose();
  CHECK(difference<double>(through[0], want) < 1e-14);

  conditional_domain_adversarial_loss cdan{[&](const at::Tensor& h) { return at::matmul(h, v); }, multilinear_map{},
                                           conditioning::joint_entropy{}, warm_start_reversal{.alpha = 10, .iteration = 500}};
  const auto conditional = cdan(g_s, f_s, g_t, f_t);
  const auto gradients_of = torch::autograd::grad({conditional.loss}, {f_s, v});
  CHECK(gradients_of[0].abs().sum().item<double>() > 0);
  CHECK((gradients_of[1].sizes() == v.sizes()));
}

TEST_CASE("one value for each row") {
  const at::Tensor l_s = normal({6, 1}).requires_grad_(true), l_t = normal({4, 1}).requires_grad_(true);
  const at::Tensor each = domain_adversarial<reduction::none>{}(l_s, l_t);
  CHECK((each.sizes() == at::IntArrayRef{10}));
  const at::Tensor upstream = normal({10});
  const auto found = torch::autograd::grad({each}, {l_s, l_t}, {upstream});
  const at::Tensor want_s = -0.5 * at::sigmoid(-l_s) * upstream.narrow(0, 0, 6).unsqueeze(1);
  const at::Tensor want_t = 0.5 * at::sigmoid(l_t) * upstream.narrow(0, 6, 4).unsqueeze(1);
  CHECK((found[0] - want_s).abs().max().item<double>() < 1e-15);
  CHECK((found[1] - want_t).abs().max().item<double>() < 1e-15);
}

TEST_CASE("a second derivative throws") {
  const at::Tensor x = normal({6, 3}).requires_grad_(true), y = normal({5, 3}).requires_grad_(true);
  const auto first = torch::autograd::grad({mmd{}(x, y)}, {x}, {}, true, true);
  CHECK(first[0].requires_grad());
  CHECK(message_of([&] { torch::autograd::grad({first[0].sum()}, {y}); }).find("second derivatives are not available") !=
        std::string::npos);
}

TEST_CASE("what is refused says so") {
  const at::Tensor x = normal({6, 3}), y = normal({5, 3});
  CHECK(message_of([&] { mmd{}(x.to(at::kHalf), y); }).find("float or double") != std::string::npos);
  CHECK(message_of([&] { mmd{}(x, y.to(at::kFloat)); }).find("the same type") != std::string::npos);
  CHECK(message_of([&] { mmd{}(x.unsqueeze(0), y); }).find("one or two dimensions") != std::string::npos);
  CHECK(message_of([&] { mmd{}(x.narrow(1, 0, 2), y); }).find("same number of features") != std::string::npos);
  CHECK(message_of([&] { mmd{}(at::Tensor(), y); }) != "");
  const at::Tensor broken = x.clone();
  broken[2][1] = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of([&] { checked{mmd{}}(broken, y); }).find("row 2, column 1") != std::string::npos);
}
