// Values and gradients of a few hundred problems as raw numbers, to show that a change changes no bit.
//   bits_dump write FILE            compute all problems with 1, 2 and 3 threads and write them
//   bits_dump compare BEFORE AFTER  name every problem whose numbers differ; exit status 1 if there is one
#include "conformance/samples.hpp"
#include "record_file.hpp"

#include <functional>
#include <type_traits>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

/// Where a problem puts its results.
template <class T>
class results {
public:
  void add(const T& value) { numbers_.push_back(value); }
  void add(const std::vector<T>& values) { numbers_.insert(numbers_.end(), values.begin(), values.end()); }
  void add(const matrix<T>& m) { numbers_.insert(numbers_.end(), m.data(), m.data() + m.size()); }
  const std::vector<T>& numbers() const { return numbers_; }

private:
  std::vector<T> numbers_;
};

class dump {
public:
  explicit dump(const std::string& path) : to_(path, std::ios::binary) {
    if (!to_) throw std::runtime_error(path + ": cannot be written");
  }

  /// Runs problem(exec, results) with 1 to 3 threads. The numbers of one thread are written; those of more must be the same.
  template <class T, class Problem>
  void run(const std::string& name, const Problem& problem) {
    std::vector<T> first;
    for (const int threads : {1, 2, 3}) {
      results<T> found;
      problem(exec::openmp{threads}, found);
      const std::vector<T>& numbers = found.numbers();
      if (threads == 1) first = numbers;
      const bool same = numbers.size() == first.size() && std::memcmp(numbers.data(), first.data(), numbers.size() * sizeof(T)) == 0;
      if (threads == 1 || !same) write(name + (threads == 1 ? "" : " with " + std::to_string(threads) + " threads"), numbers);
      if (!same) std::cout << name << ": other bits with " << threads << " threads\n";
    }
    ++problems_;
  }
  int problems() const { return problems_; }

private:
  template <class T>
  void write(const std::string& name, const std::vector<T>& numbers) {
    const char* bytes = reinterpret_cast<const char*>(numbers.data());
    bits::write(to_, {name + (sizeof(T) == 4 ? " float" : " double"), sizeof(T), {bytes, bytes + numbers.size() * sizeof(T)}});
  }
  std::ofstream to_;
  int problems_ = 0;
};

struct sizes {
  dalib::index_t source, target, features;
  std::string name() const { return std::to_string(source) + "+" + std::to_string(target) + "x" + std::to_string(features); }
};

// One row; around the register, a stripe of 16 columns, a chunk of features, 256 rows (one triangle or a tournament), blocks of 192 rows, the
// depth of 256 features.
const std::vector<sizes> pair_sizes = {{1, 3, 1},      {5, 4, 7},      {16, 17, 16},  {33, 31, 33},   {100, 92, 64},
                                       {128, 128, 32}, {129, 128, 31}, {200, 185, 20}, {40, 30, 257}, {300, 340, 5}};

/// Value, value with gradients, and gradients added to what is there.
template <class T, class Measure>
void two_sample(dump& to, const std::string& name, const Measure& measure, const matrix<T>& zs, const matrix<T>& zt) {
  to.run<T>(name, [&](const auto& exec, results<T>& out) {
    matrix<T> gs = matrix<T>::Constant(zs.rows(), zs.cols(), T(7)), gt = matrix<T>::Constant(zt.rows(), zt.cols(), T(7));
    if constexpr (requires { measure(exec, zs, zt); }) out.add(measure(exec, zs, zt));
    out.add(measure.value_and_gradient(exec, zs, zt, gradients{gs, gt}));
    out.add(gs);
    out.add(gt);
    measure.value_and_gradient(exec, zs, zt, gradients{gs, gt, T(-0.3), write_mode::accumulate});
    out.add(gs);
    out.add(gt);
  });
}

template <class T, class Kernel, class Estimator>
void kernel_problem(dump& to, const std::string& name, const Kernel& kernel, const Estimator& estimator, bool equal = false) {
  for (sizes n : pair_sizes) {
    if (n.source < 2) n.source = n.target; // most estimators refuse one row
    if (equal) n.target = n.source;
    const matrix<T> zs = normal_rows<T>(n.source, n.features, 1), zt = normal_rows<T>(n.target, n.features, 2, 1.2, 0.3);
    two_sample<T>(to, name + " " + n.name(), mmd{kernel, estimator}, zs, zt);
  }
}

/// Every kernel with all pairs, every estimator with a ladder and with a kernel of several statistics.
template <class T>
void kernels_and_estimators(dump& to) {
  const auto all_pairs = [&](const std::string& name, const auto& kernel) {
    kernel_problem<T>(to, "unbiased " + name, kernel, estimator::unbiased{});
  };
  all_pairs("gaussian median", kernel::gaussian{bandwidth::median{}});
  all_pairs("laplacian", kernel::laplacian{});
  all_pairs("rational quadratic", kernel::rational_quadratic{1.5});
  all_pairs("inverse multiquadric", kernel::inverse_multiquadric{});
  all_pairs("matern 3/2", kernel::matern<kernel::matern_order::three_halves>{});
  all_pairs("matern 5/2", kernel::matern<>{});
  all_pairs("energy", kernel::energy{});
  all_pairs("linear", kernel::linear{});
  all_pairs("polynomial", kernel::polynomial{.gamma = 0.1, .coef0 = 1, .degree = 3});
  all_pairs("cosine", kernel::cosine{});
  all_pairs("laplacian l1", kernel::laplacian_l1{20});
  const auto each_estimator = [&](const std::string& name, const auto& kernel) {
    kernel_problem<T>(to, "unbiased " + name, kernel, estimator::unbiased{});
    kernel_problem<T>(to, "biased " + name, kernel, estimator::biased{});
    kernel_problem<T>(to, "linear time " + name, kernel, estimator::linear_time{});
    kernel_problem<T>(to, "block " + name, kernel, estimator::block{2});
    kernel_problem<T>(to, "nonlinear " + name, kernel, compat::nonlinear{}, true);
    kernel_problem<T>(to, "ring " + name, kernel, compat::ring{}, true);
  };
  each_estimator("ladder", kernel::gaussian_ladder{});
  each_estimator("mixture", kernel::gaussian{5.0} * kernel::cosine{} + 0.5 * kernel::laplacian_l1{20} + 0.1 * kernel::linear{});
}

/// Clustered and distant data, weights, strides, other measures of pairs.
template <class T>
void other_pairs(dump& to) {
  const mmd<> loss;
  for (const dalib::index_t rows : {60, 300}) {
    const std::string size = " " + std::to_string(rows);
    const matrix<T> zs = normal_rows<T>(rows, 33, 1), zt = normal_rows<T>(rows, 33, 2, 1.2, 0.3);
    matrix<T> near = zs, far = zt;
    near += normal_rows<T>(rows, 33, 3, 1e-3);
    far.row(rows / 2).array() += T(1e4);
    two_sample<T>(to, "near rows" + size, loss, zs, near);
    two_sample<T>(to, "domains apart" + size, loss, zs, matrix<T>(zt.array() + T(40)));
    two_sample<T>(to, "far row" + size, loss, zs, far);
    two_sample<T>(to, "kernel weights" + size, weighted_mmd{kernel::gaussian_ladder{}, estimator::unbiased{}, compat::quadratic_program{}}, zs, zt);
    std::vector<T> weights(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<T>(i % 4) / 2;
    const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> columns = zs;
    to.run<T>("weights, by columns" + size, [&](const auto& exec, results<T>& out) {
      matrix<T> gs(zs.rows(), zs.cols()), gt(zt.rows(), zt.cols());
      out.add(loss.value_and_gradient(exec, weighted(columns, weights), weighted(zt, weights), gradients{gs, gt}));
      out.add(gs);
      out.add(gt);
    });
    const matrix<T> ps = normal_rows<T>(rows, 5, 5), pt = normal_rows<T>(rows, 5, 6);
    const auto joint = [&](const std::string& name, const auto& estimator) {
      to.run<T>("joint " + name + size, [&](const auto& exec, results<T>& out) {
        matrix<T> g[4] = {zs, zt, ps, pt};
        const layer_gradients<T, 2> where{layers(g[0], g[2]), layers(g[1], g[3])};
        out.add(joint_mmd{jan_kernels(), estimator}.value_and_gradient(exec, layers(zs, ps), layers(zt, pt), where));
        for (const matrix<T>& one : g) out.add(one);
      });
    };
    joint("unbiased", estimator::unbiased{});
    joint("linear time", estimator::linear_time{});
    to.run<T>("kernel matrix" + size, [&](const auto& exec, results<T>& out) {
      matrix<T> k(rows, rows), g(rows, 33);
      kernel_matrix(exec, kernel::gaussian_ladder{}, zs, k);
      out.add(k);
      out.add(kernel_matrix_gradient(exec, kernel::gaussian_ladder{}, zs, k, g));
      out.add(g);
    });
    to.run<T>("kernel statistics" + size, [&](const auto& exec, results<T>& out) {
      const auto found = kernel_statistics_of(exec, mmd{kernel::gaussian_ladder{}, estimator::linear_time{}}, zs, zt);
      for (const double x : found.values) out.add(static_cast<T>(x));
      for (const double x : found.covariance) out.add(static_cast<T>(x));
    });
  }
}

/// Losses of class scores: around a register of rows, a run of 128 rows, a square of classes.
template <class T>
void row_losses(dump& to) {
  for (const dalib::index_t rows : {1, 7, 16, 17, 127, 129, 300}) {
    const matrix<T> ls = normal_rows<T>(rows, 1, 1, 3), lt = normal_rows<T>(rows + 3, 1, 2, 3);
    const std::string size = " " + std::to_string(rows);
    two_sample<T>(to, "domain adversarial" + size, domain_adversarial<>{}, ls, lt);
    two_sample<T>(to, "domain adversarial, one by one" + size, domain_adversarial<reduction::none>{}, ls, lt);
    for (const dalib::index_t classes : {2, 10, 16, 31, 65}) {
      const std::string shape = size + "x" + std::to_string(classes);
      const matrix<T> a = normal_rows<T>(rows, classes, 3, 2), b = normal_rows<T>(rows, classes, 4, 2), c = normal_rows<T>(rows + 3, classes, 5, 2),
                      d = normal_rows<T>(rows + 3, classes, 6, 2);
      two_sample<T>(to, "classifier discrepancy" + shape, classifier_discrepancy{}, a, b);
      to.run<T>("class balance" + shape, [&](const auto& exec, results<T>& out) {
        matrix<T> g = a;
        out.add(class_balance{}.value_and_gradient(exec, a, gradient{g}));
        out.add(g);
      });
      to.run<T>("margin disparity" + shape, [&](const auto& exec, results<T>& out) {
        matrix<T> gs = b, gt = d;
        out.add(margin_disparity{}.value_and_gradient(exec, a, b, c, d, gradients{gs, gt}));
        out.add(gs);
        out.add(gt);
      });
      to.run<T>("conditional adversarial with entropy" + shape, [&](const auto& exec, results<T>& out) {
        matrix<T> g[4] = {ls, lt, a, c};
        const conditional_domain_adversarial loss{conditioning::joint_entropy{}};
        out.add(loss.value_and_gradient(exec, ls, lt, a, c, gradients{g[0], g[1]}, gradients{g[2], g[3]}));
        for (const matrix<T>& one : g) out.add(one);
      });
    }
    to.run<T>("multilinear map" + size, [&](const auto& exec, results<T>& out) {
      const matrix<T> f = normal_rows<T>(rows, 17, 7), g = normal_rows<T>(rows, 10, 8);
      matrix<T> h(rows, 170), gf = f, gg = g;
      multilinear_map{}(exec, f, g, h);
      out.add(h);
      multilinear_map{}.pull(exec, f, g, normal_rows<T>(rows, 170, 9), gradients{gf, gg});
      out.add(gf);
      out.add(gg);
    });
  }
}

template <class T>
void all_problems(dump& to) {
  kernels_and_estimators<T>(to);
  other_pairs<T>(to);
  row_losses<T>(to);
}

} // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  try {
    if (words.size() == 2 && words[0] == "write") {
      dump to(words[1]);
      all_problems<float>(to);
      all_problems<double>(to);
      std::cout << to.problems() << " problems written to " << words[1] << '\n';
      return 0;
    }
    if (words.size() == 3 && words[0] == "compare") return bits::compare(words[1], words[2]) > 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
  std::cerr << "usage: bits_dump write FILE | bits_dump compare BEFORE AFTER\n";
  return 2;
}
