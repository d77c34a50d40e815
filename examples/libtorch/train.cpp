// A libtorch training loop with this library's MMD: a small network learns to tell three classes of a source domain and is adapted to a
// target domain, whose points are rotated and moved. Only the line with `loss` differs from a loop without adaptation.
#include <dalib/torch.hpp>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <cstdio>
#include <utility>
#include <vector>

namespace {

struct network { // 2 -> 32 features -> 3 classes
  at::Tensor w1 = (at::randn({2, 32}) * 0.7).requires_grad_(true), b1 = at::zeros({32}).requires_grad_(true);
  at::Tensor w2 = (at::randn({32, 3}) * 0.2).requires_grad_(true), b2 = at::zeros({3}).requires_grad_(true);

  at::Tensor features(const at::Tensor& x) const { return at::tanh(at::matmul(x, w1) + b1); }
  at::Tensor classes(const at::Tensor& f) const { return at::matmul(f, w2) + b2; }
  std::vector<at::Tensor> parameters() const { return {w1, b1, w2, b2}; }
};

std::pair<at::Tensor, at::Tensor> points(int64_t count, double angle, double shift) {
  const at::Tensor labels = at::randint(3, {count}, at::kLong);
  const at::Tensor place = labels.to(at::kFloat) * 2.0944 + angle;
  const at::Tensor x = at::stack({at::cos(place), at::sin(place)}, 1) * 2 + at::randn({count, 2}) * 0.4 + shift;
  return {x, labels};
}

double accuracy(const network& net, const at::Tensor& x, const at::Tensor& labels) {
  const at::NoGradGuard guard;
  return 100 * net.classes(net.features(x)).argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

double train(double weight) {
  at::manual_seed(1);
  network net;
  const dalib::mmd loss{}; // five Gaussians, unbiased
  const auto test = points(1000, 0.7, 0.5);
  for (int iteration = 0; iteration < 400; ++iteration) {
    const auto [x_s, labels] = points(64, 0, 0);
    const at::Tensor x_t = points(64, 0.7, 0.5).first;
    const at::Tensor f_s = net.features(x_s), f_t = net.features(x_t);
    const at::Tensor total = at::cross_entropy_loss(net.classes(f_s), labels) + weight * loss(f_s, f_t);
    const auto gradients = torch::autograd::grad({total}, net.parameters());
    const at::NoGradGuard guard;
    for (std::size_t i = 0; i < gradients.size(); ++i) net.parameters()[i].sub_(0.1 * gradients[i]);
  }
  return accuracy(net, test.first, test.second);
}

} // namespace

int main() {
  const double before = train(0), after = train(1);
  std::printf("target accuracy: source only %.1f %%, with the MMD %.1f %%\n", before, after);
  return after > before + 2 ? 0 : 1;
}
