// States of rows over their pairs: log-sum-exp with a potential, and a state of a user's own, beside loops over the kernel matrix.
#include "conformance/check_measure.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;
using engine::pair_set;

namespace {

/// The largest kernel value plus potential: a user's state.
struct largest {
  static constexpr int numbers = 1;
  template <class V>
  DALIB_HD void start(V* row) const {
    row[0] = V(-1e30);
  }
  template <class V>
  DALIB_HD void visit(V* row, const V& kernel, const V& potential) const {
    row[0] = maximum(row[0], kernel + potential);
  }
  template <class T>
  DALIB_HD T result(const T* row) const {
    return row[0];
  }
};

/// log sum exp and the largest of each row of `k` plus the potential, in double.
struct expected_states {
  Eigen::VectorXd log_sum, most;
  expected_states(const Eigen::MatrixXd& k, const Eigen::VectorXd& potential, bool distinct) : log_sum(k.rows()), most(k.rows()) {
    for (index_t i = 0; i < k.rows(); ++i) {
      double top = -1e30, sum = 0;
      for (index_t j = 0; j < k.cols(); ++j)
        if (!(distinct && i == j)) top = std::max(top, k(i, j) + potential(j));
      for (index_t j = 0; j < k.cols(); ++j)
        if (!(distinct && i == j)) sum += std::exp(k(i, j) + potential(j) - top);
      log_sum(i) = top + std::log(sum);
      most(i) = top;
    }
  }
};

} // namespace

TEST_CASE_TEMPLATE("row states: of all pairs, of distinct ones, and across", T, float, double) {
  const double bound = std::is_same_v<T, float> ? 2e-5 : 1e-12;
  const kernel::energy kernel; // -|x - y|: entries far below 0
  for (const index_t ns : {3, 60, 230}) {
    CAPTURE(ns);
    const index_t nt = ns / 2 + 1, n = ns + nt;
    const matrix<T> x = normal_rows<T>(ns, 5, 1, 4), y = normal_rows<T>(nt, 5, 2, 4, 1), potential = normal_rows<T>(n, 1, 3, 5);
    Eigen::MatrixXd joint(n, 5), k(n, n);
    joint << x.template cast<double>(), y.template cast<double>();
    kernel_matrix(exec::serial{}, kernel, joint, k);
    const Eigen::VectorXd wide = potential.template cast<double>();
    workspace scratch;
    const exec::openmp exec{3};
    const engine::bound_problem problem(exec, scratch,
                                        engine::layer_input<T, kernel::energy>{{sample_of(x), sample_of(y)}, kernel, {}, {}});
    const auto& one = std::get<0>(problem.layers());
    for (const pair_set pairs : {pair_set::all, pair_set::distinct, pair_set::across}) {
      CAPTURE(static_cast<int>(pairs));
      const bool across = pairs == pair_set::across;
      const expected_states expected(across ? Eigen::MatrixXd(k.topRightCorner(ns, nt)) : k, across ? Eigen::VectorXd(wide.tail(nt)) : wide,
                                     pairs == pair_set::distinct);
      const matrix<T> own_potential = across ? matrix<T>(potential.bottomRows(nt)) : potential;
      matrix<T> out(across ? ns : n, 1), again(across ? ns : n, 1);
      engine::row_states(exec, engine::log_sum_exp{}, one, pairs, view_of(own_potential), view_of(out), scratch);
      CHECK((out.template cast<double>() - expected.log_sum).cwiseAbs().maxCoeff() < bound * 10);
      engine::row_states(exec::serial{}, engine::log_sum_exp{}, one, pairs, view_of(own_potential), view_of(again), scratch);
      CHECK(out == again);
      engine::row_states(exec, largest{}, one, pairs, view_of(own_potential), view_of(out), scratch);
      CHECK((out.template cast<double>() - expected.most).cwiseAbs().maxCoeff() < bound * 10);
    }
  }
}

TEST_CASE("row states: a potential of minus infinity counts nothing, large ones do not overflow, wrong shapes are refused") {
  const matrix<float> x = normal_rows<float>(20, 3, 1), y = normal_rows<float>(2, 3, 2);
  const float none = -std::numeric_limits<float>::infinity();
  workspace scratch;
  const exec::serial exec;
  const engine::bound_problem problem(exec, scratch, engine::layer_input<float, kernel::energy>{{sample_of(x), sample_of(y)}, {}, {}, {}});
  const auto& one = std::get<0>(problem.layers());
  matrix<float> potential(2, 1), out(20, 1);
  const auto run = [&] {
    engine::row_states(exec, engine::log_sum_exp{}, one, pair_set::across, view_of(potential), view_of(out), scratch);
  };
  potential << none, 1e6f;
  run();
  for (index_t i = 0; i < 20; ++i) CHECK(out(i) == doctest::Approx(1e6 - static_cast<double>((x.row(i) - y.row(1)).norm())).epsilon(1e-6));
  potential << none, none;
  run();
  CHECK((out.array() == none).all());
  matrix<float> narrow(19, 1);
  CHECK_THROWS_WITH_AS(engine::row_states(exec, engine::log_sum_exp{}, one, pair_set::across, view_of(potential), view_of(narrow), scratch),
                       doctest::Contains("row_states"), std::invalid_argument);
}
