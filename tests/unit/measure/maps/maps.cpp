/// Both maps of CDAN: values, pull-backs to features and logits, state, errors.
#include "support/loss_checks.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace dalib;

namespace {

template <class T>
struct problem {
  checks::row_major<T> f, g;
  problem(Eigen::Index n, Eigen::Index features, Eigen::Index classes, double width = 2)
      : f(checks::random_rows<T>(n, features, 1)), g(checks::random_rows<T>(n, classes, 2, width)) {}
};

/// softmax(g)_c f_j in column c F + j.
template <class T>
checks::extended outer(const problem<T>& p) {
  const checks::extended q = checks::softmax(p.g), f = p.f.template cast<long double>();
  checks::extended h(f.rows(), q.cols() * f.cols());
  for (Eigen::Index c = 0; c < q.cols(); ++c) h.middleCols(c * f.cols(), f.cols()) = f.array().colwise() * q.col(c).array();
  return h;
}

/// Pull-backs of both maps against central differences of sum(h * r).
template <class Map>
void check_pull(const Map& map, const problem<double>& p) {
  const Eigen::Index columns = map.columns(p.f.cols(), p.g.cols());
  const checks::matrix r = checks::random_matrix(p.f.rows(), columns, 7), f = p.f, g = p.g;
  const auto total = [&](const checks::matrix& features, const checks::matrix& logits) {
    checks::row_major<double> h(p.f.rows(), columns);
    map(exec::serial{}, features, logits, h);
    return h.cwiseProduct(r).sum();
  };
  checks::matrix gf(f.rows(), f.cols()), gg(g.rows(), g.cols());
  map.pull(exec::openmp{2}, f, g, r, gradients{gf, gg});
  CHECK(checks::relative_error(gf, checks::differences([&](const auto& x) { return total(x, g); }, f)) < 1e-7);
  CHECK(checks::relative_error(gg, checks::differences([&](const auto& x) { return total(f, x); }, g)) < 1e-7);

  checks::matrix af = checks::matrix::Ones(f.rows(), f.cols());
  map.pull(exec::serial{}, f, g, r, gradients<double>{view_of(af), matrix_view<double>{}, -0.5, write_mode::accumulate});
  CHECK(checks::relative_error(af, checks::matrix((1 - 0.5 * gf.array()).matrix())) < 1e-14);
}

TEST_CASE_TEMPLATE("the multilinear map is the outer product with the softmax", T, float, double) {
  for (const Eigen::Index n : {1, 7, 40}) {
    const problem<T> p(n, 5, 3);
    checks::row_major<T> h(n, 15);
    multilinear_map{}(exec::serial{}, p.f, p.g, h);
    CHECK(checks::relative_error(h, outer(p)) < checks::tolerance<T>());
    const checks::col_major<T> f = p.f, g = p.g;
    checks::col_major<T> column(n, 15);
    multilinear_map{}(exec::openmp{3}, f, g, column);
    CHECK((column.array() == h.array()).all());
  }
  const problem<T> extreme(20, 4, 6, 1e4);
  checks::row_major<T> h(20, 24);
  multilinear_map{}(exec::serial{}, extreme.f, extreme.g, h);
  CHECK(checks::relative_error(h, outer(extreme)) < checks::tolerance<T>());
}

TEST_CASE("pull-backs agree with central differences") {
  check_pull(multilinear_map{}, problem<double>(19, 5, 3));
  check_pull(multilinear_map{}, problem<double>(3, 1, 1));
  check_pull(randomised_multilinear_map<double>(5, 3, 11, 42), problem<double>(19, 5, 3));
  check_pull(randomised_multilinear_map<double>(1, 2, 8, 42), problem<double>(1, 1, 2));
}

TEST_CASE_TEMPLATE("the randomised map multiplies features and softmax by its matrices, in this order", T, float, double) {
  for (const Eigen::Index n : {1, 16, 45}) {
    const problem<T> p(n, 20, 4);
    randomised_multilinear_map<T> map(20, 4, 13, 7);
    checks::row_major<T> h(n, 13), rf(20, 13), rg(4, 13);
    for (Eigen::Index k = 0; k < 13; ++k) {
      for (Eigen::Index j = 0; j < 20; ++j) rf(j, k) = map.feature_matrix()(j, k);
      for (Eigen::Index c = 0; c < 4; ++c) rg(c, k) = map.class_matrix()(c, k);
    }
    map(exec::serial{}, p.f, p.g, h);
    const checks::extended left = p.f.template cast<long double>() * rf.template cast<long double>();
    const checks::extended right = checks::softmax(p.g) * rg.template cast<long double>();
    CHECK(checks::relative_error(h, checks::extended(left.cwiseProduct(right) / std::sqrt(13.0L))) < checks::tolerance<T>());
    checks::row_major<T> again(n, 13);
    map(exec::openmp{3}, p.f, p.g, again);
    CHECK((again.array() == h.array()).all());
  }
}

TEST_CASE("the matrices are standard normal, seeded, and part of the state") {
  randomised_multilinear_map<double> map(300, 10, 200, 5), same(300, 10, 200, 5), other(300, 10, 200, 6);
  double sum = 0, squares = 0, product = 0;
  bool equal = true;
  for (Eigen::Index j = 0; j < 300; ++j)
    for (Eigen::Index k = 0; k < 200; ++k) {
      const double x = map.feature_matrix()(j, k);
      equal = equal && x == same.feature_matrix()(j, k);
      sum += x;
      squares += x * x;
      product += x * other.feature_matrix()(j, k);
    }
  CHECK(equal);
  CHECK(std::abs(sum / 60000) < 0.02);
  CHECK(squares / 60000 == doctest::Approx(1).epsilon(0.03));
  CHECK(std::abs(product / 60000) < 0.02);

  std::map<std::string, std::vector<double>> saved;
  map.visit_state([&](const std::string& name, const std::vector<dalib::index_t>& shape, std::span<double> values) {
    CHECK(shape[0] * shape[1] == static_cast<dalib::index_t>(values.size()));
    saved[name].assign(values.begin(), values.end());
  });
  CHECK(saved.size() == 2);
  const randomised_multilinear_map<double> copy = other;
  other.visit_state([&](const std::string& name, const std::vector<dalib::index_t>&, std::span<double> values) {
    std::copy(saved[name].begin(), saved[name].end(), values.begin());
  });
  const problem<double> p(4, 300, 10);
  checks::row_major<double> h(4, 200), restored(4, 200), untouched(4, 200);
  map(exec::serial{}, p.f, p.g, h);
  other(exec::serial{}, p.f, p.g, restored);
  copy(exec::serial{}, p.f, p.g, untouched);
  CHECK((restored.array() == h.array()).all());
  CHECK((untouched.array() != h.array()).any()); // a copy keeps its matrices
}

TEST_CASE("shapes that do not fit") {
  const problem<double> p(4, 5, 3), fewer(3, 5, 3);
  checks::row_major<double> h = checks::row_major<double>::Constant(4, 15, 7), narrow(4, 14);
  const auto of = [](const auto& f) { return checks::message_of(f); };
  CHECK(of([&] { multilinear_map{}(exec::serial{}, p.f, fewer.g, h); }) ==
        "multilinear_map: features and logits must have the same number of samples (got 4 x 5 and 3 x 3)");
  CHECK(of([&] { multilinear_map{}(exec::serial{}, p.f, p.g, narrow); }) ==
        "multilinear_map: the result of 4 x 5 features and 4 x 3 logits must be 4 x 15 (got 4 x 14)");
  const randomised_multilinear_map<double> map(5, 4, 8, 1);
  CHECK(of([&] { map(exec::serial{}, p.f, p.g, h); }) == "randomised_multilinear_map: was made for 5 features and 4 classes (got 5 and 3)");
  CHECK(checks::contains(of([] { randomised_multilinear_map<float>(0, 4, 8, 1); }), "must be positive"));
  CHECK((h.array() == 7).all());
}

} // namespace
