// What a user compiles with all warnings of his own: every measure, value and gradient.
#include <dalib/dalib.hpp>

#include <cstdio>

namespace {
template <class Measure, class A, class B>
bool works(const char* name, const Measure& measure, const A& a, const B& b) {
  const auto [value, gradient_a, gradient_b] = dalib::value_and_gradient(measure, a, b);
  std::printf("%s %g, gradient norms %g and %g\n", name, static_cast<double>(value), static_cast<double>(gradient_a.norm()),
              static_cast<double>(gradient_b.norm()));
  return value > 0 && gradient_a.norm() > 0 && gradient_b.norm() > 0 && dalib::exec::openmp{}.workers() > 0;
}

template <class T>
bool all_work() {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  const matrix source = matrix::Random(20, 5), target = matrix::Random(17, 5).array() + T(1);
  const dalib::mmd loss{dalib::kernel::gaussian_ladder(T(0.125), 5), dalib::estimator::biased{}};
  matrix own_source(20, 5), own_target(17, 5);
  dalib::workspace scratch;
  const auto value =
      loss.value_and_gradient(dalib::exec::openmp{}, source, target, dalib::gradients{own_source, own_target}, scratch);
  return value > 0 && works("mmd", loss, source, target) && works("energy", dalib::mmd{dalib::kernel::energy{}}, source, target) &&
         works("classifier discrepancy", dalib::classifier_discrepancy{}, matrix(source.topRows(17)), target);
}
} // namespace

int main() { return all_work<float>() && all_work<double>() ? 0 : 1; }
