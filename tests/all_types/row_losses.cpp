// Every loss of rows of class scores with every policy, both executions, value and gradient, in one file: what a compiler has to survive.
#include <dalib/dalib.hpp>

using namespace dalib;

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
struct data {
  matrix<T> a, b, c, d, g, h;
};

/// A loss of two tensors of scores, of four, of two logits and two scores, and of one.
template <class T, class Exec, class Loss>
void call_two(const Exec& exec, const Loss& loss, data<T>& x) {
  static_cast<void>(loss(exec, x.a, x.b));
  static_cast<void>(loss.value_and_gradient(exec, x.a, x.b, gradients{x.g, x.h}));
}
template <class T, class Exec, class Loss>
void call_four(const Exec& exec, const Loss& loss, data<T>& x) {
  static_cast<void>(loss(exec, x.a, x.b, x.c, x.d));
  static_cast<void>(loss.value_and_gradient(exec, x.a, x.b, x.c, x.d, gradients{x.g, x.h}));
}
template <class T, class Exec, class Loss>
void call_conditional(const Exec& exec, const Loss& loss, data<T>& x) {
  call_four<T>(exec, loss, x);
  static_cast<void>(loss.value_and_gradient(exec, x.a, x.b, x.c, x.d, gradients{x.g, x.h}, gradients{x.g, x.h}));
}
template <class T, class Exec, class Loss>
void call_one(const Exec& exec, const Loss& loss, data<T>& x) {
  static_cast<void>(loss(exec, x.a));
  static_cast<void>(loss.value_and_gradient(exec, x.a, gradient{x.g}));
}

template <class T, class Exec, class Reduction, class Conditioning, class CrossEntropy>
void conditional(const Exec& exec, data<T>& x) {
  call_conditional<T>(exec, conditional_domain_adversarial{Conditioning{}, Reduction{}, CrossEntropy{}}, x);
}

template <class T, class Exec, class Reduction>
void with_reduction(const Exec& exec, data<T>& x) {
  call_two<T>(exec, classifier_discrepancy{scores::logits{}, Reduction{}}, x);
  call_two<T>(exec, classifier_discrepancy{scores::probabilities{}, Reduction{}}, x);
  static_cast<void>(domain_adversarial<Reduction>{}.value_and_gradient(exec, x.a, x.b, gradients{x.g, x.h}));
  call_four<T>(exec, margin_disparity{4., Reduction{}}, x);
  call_four<T>(exec, margin_disparity{4., Reduction{}, compat::shifted_log_complement{}}, x);
  conditional<T, Exec, Reduction, conditioning::none, logit_cross_entropy>(exec, x);
}

template <class T, class Exec>
void with_execution(const Exec& exec, data<T>& x) {
  with_reduction<T, Exec, reduction::none>(exec, x);
  with_reduction<T, Exec, reduction::mean>(exec, x);
  with_reduction<T, Exec, reduction::sum>(exec, x);
  conditional<T, Exec, reduction::mean, conditioning::joint_entropy, compat::clamped_cross_entropy>(exec, x);
  conditional<T, Exec, reduction::mean, conditioning::per_domain_entropy, logit_cross_entropy>(exec, x);
  conditional<T, Exec, reduction::mean, compat::entropy_conditioning, logit_cross_entropy>(exec, x);
  call_one<T>(exec, class_balance{}, x);
  call_one<T>(exec, class_balance{scores::probabilities{}}, x);
  multilinear_map{}(exec, x.a, x.b, x.g);
  multilinear_map{}.pull(exec, x.a, x.b, x.c, gradients{x.g, x.h});
  const randomised_multilinear_map<T> map(2, 3, 4, 5);
  map(exec, x.a, x.b, x.g);
  map.pull(exec, x.a, x.b, x.c, gradients{x.g, x.h});
}

/// The one that killed g++ 12.2: a term with a clamp, mean and sum, both executions, value and gradient.
template <class Reduction>
void clamped_margin(data<float>& x) {
  const margin_disparity loss{4., Reduction{}, compat::shifted_log_complement{}};
  call_four<float>(exec::serial{}, loss, x);
  call_four<float>(exec::default_policy{}, loss, x);
}

} // namespace

void all_row_losses() {
  data<float> x;
  data<double> y;
  clamped_margin<reduction::mean>(x);
  clamped_margin<reduction::sum>(x);
  with_execution<float>(exec::serial{}, x);
  with_execution<double>(exec::serial{}, y);
  with_execution<float>(exec::default_policy{}, x);
  with_execution<double>(exec::default_policy{}, y);
}
