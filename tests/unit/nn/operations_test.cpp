#include "check_gradients.hpp"

#include <limits>

using namespace dalib;
using test::check_gradients;
using test::random_leaf;
using test::random_matrix;
using test::weighted_sum;

TEST_CASE("element-wise operations") {
  const auto a = random_leaf(5, 7, 1), b = random_leaf(5, 7, 2);
  check_gradients({a, b}, [&] { return weighted_sum(ad::multiply(ad::relu(a), ad::subtract(b, a))); });
  check_gradients({a, b}, [&] { return weighted_sum(ad::add(a, b, ad::activation::relu)); });
  check_gradients({a}, [&] { return ad::mean(ad::multiply(a, a)); });
  check_gradients({a}, [&] { return weighted_sum(ad::multiply(a, a)); });
}

TEST_CASE("dropout: mask from the key alone, unbiased, same mask backward") {
  const auto x = random_leaf(40, 50, 1);
  const auto y = ad::dropout(x, 0.3, 7);
  CHECK(y.value() == ad::dropout(x, 0.3, 7).value());
  CHECK(y.value() != ad::dropout(x, 0.3, 8).value());
  const double dropped = static_cast<double>((y.value().array() == 0).count()) / 2000;
  CHECK(dropped == doctest::Approx(0.3).epsilon(0.15)); // 4.4 standard deviations
  ad::backward(ad::sum(y));
  for (ad::index_t i = 0; i < 2000; ++i) {
    const double kept = y.value().data()[i] == 0 ? 0 : 1 / 0.7;
    CHECK(x.gradient().data()[i] == doctest::Approx(kept));
  }
  CHECK_THROWS_AS(ad::dropout(x, 1.0, 1), std::invalid_argument);
}

TEST_CASE("softmax, log-softmax and cross-entropy") {
  const auto x = random_leaf(6, 5, 1);
  check_gradients({x}, [&] { return weighted_sum(ad::softmax(x)); });
  check_gradients({x}, [&] { return weighted_sum(ad::log_softmax(x)); });
  const std::vector<std::int64_t> labels{0, 4, 2, 2, 1, 3};
  check_gradients({x}, [&] { return ad::cross_entropy<double>(x, labels); });
  double expected = 0;
  for (ad::index_t r = 0; r < 6; ++r)
    expected -= std::log(std::exp(x.value()(r, labels[static_cast<std::size_t>(r)])) / x.value().row(r).array().exp().sum()) / 6;
  CHECK(ad::cross_entropy<double>(x, labels).item() == doctest::Approx(expected));
  const std::vector<std::int64_t> out_of_range{0, 4, 2, 5, 1, 3}, too_few{0};
  CHECK_THROWS_AS(ad::cross_entropy<double>(x, out_of_range), std::invalid_argument);
  CHECK_THROWS_AS(ad::cross_entropy<double>(x, too_few), std::invalid_argument);
}

TEST_CASE("cross-entropy of huge float logits is finite with the right gradient") {
  ad::matrix<float> logits(2, 3);
  logits << 1e4F, -1e4F, 0, 0, 0, 1e4F;
  const auto x = ad::parameter(logits);
  const std::vector<std::int64_t> labels{1, 2};
  const auto loss = ad::cross_entropy<float>(x, labels);
  CHECK(loss.item() == doctest::Approx(1e4));
  ad::backward(loss);
  CHECK(x.gradient()(0, 0) == 0.5F);
  CHECK(x.gradient()(0, 1) == -0.5F);
  CHECK(x.gradient()(1, 2) == 0);
}

TEST_CASE("concat, split and image ranges") {
  const auto a = random_leaf({2, 2, 3}, 4, 1), b = random_leaf({3, 2, 3}, 4, 2);
  const auto both = ad::concat_rows<double>({a, b});
  CHECK(both.shape() == ad::geometry{5, 2, 3});
  const auto parts = ad::split_rows(both, {1, 4});
  CHECK(parts[1].value() == both.value().bottomRows(24));
  CHECK(parts[1].shape() == ad::geometry{4, 2, 3});
  check_gradients({a, b}, [&] {
    const auto pieces = ad::split_rows(ad::concat_rows<double>({a, b, a}), {3, 4});
    return ad::add(weighted_sum(ad::multiply(pieces[0], pieces[0])), weighted_sum(pieces[1]));
  });
  a.clear_gradient();
  b.clear_gradient();
  ad::backward(ad::sum(ad::image_range(ad::concat_rows<double>({a, b}), 0, 2)));
  CHECK(b.gradient().norm() == 0); // the part nobody used
  CHECK_THROWS_AS(ad::split_rows(both, {1, 3}), std::invalid_argument);
  CHECK_THROWS_AS(ad::concat_rows<double>({a, random_leaf(2, 3, 1)}), std::invalid_argument);
}

TEST_CASE("flatten gives PyTorch's channel-major features") {
  const auto x = random_leaf({2, 3, 4}, 5, 1);
  const auto y = ad::flatten(x);
  REQUIRE(y.cols() == 60);
  for (ad::index_t n = 0; n < 2; ++n)
    for (ad::index_t p = 0; p < 12; ++p)
      for (ad::index_t c = 0; c < 5; ++c) CHECK(y.value()(n, c * 12 + p) == x.value()(n * 12 + p, c));
  check_gradients({x}, [&] { return weighted_sum(ad::flatten(x)); });
}

TEST_CASE("outer products of rows") {
  const auto f = random_leaf(3, 4, 1), g = random_leaf(3, 2, 2);
  const auto h = ad::outer_rows(f, g);
  CHECK(h.value()(1, 1 * 4 + 3) == doctest::Approx(g.value()(1, 1) * f.value()(1, 3)));
  check_gradients({f, g}, [&] { return weighted_sum(ad::outer_rows(f, g)); });
  CHECK_THROWS_AS(ad::outer_rows(f, random_leaf(2, 2, 1)), std::invalid_argument);
}

TEST_CASE("pooling") {
  const auto x = random_leaf({2, 7, 6}, 3, 1);
  for (const ad::window w : {ad::window{2, 2, 0}, {3, 2, 1}, {3, 1, 0}, {1, 1, 0}, {2, 3, 1}}) {
    CAPTURE(w.kernel);
    CAPTURE(w.stride);
    check_gradients({x}, [&] { return weighted_sum(ad::max_pool(x, w)); });
    check_gradients({x}, [&] { return weighted_sum(ad::max_pool(x, w, ad::activation::relu)); });
    check_gradients({x}, [&] { return weighted_sum(ad::average_pool(x, w)); });
    CHECK(ad::max_pool(x, w, ad::activation::relu).value() == ad::relu(ad::max_pool(x, w)).value());
    CHECK(ad::max_pool(x, w, ad::activation::relu).value() == ad::max_pool(ad::relu(x), w).value());
  }
  check_gradients({x}, [&] { return weighted_sum(ad::global_average_pool(x)); });
  CHECK(ad::global_average_pool(x).value()(1, 2) == doctest::Approx(x.value().col(2).tail(42).mean()));
  CHECK_THROWS_AS(ad::max_pool(x, {8, 1, 0}), std::invalid_argument);
}

TEST_CASE("max pooling: first maximum wins, NaN is not hidden") {
  ad::matrix<double> values = ad::matrix<double>::Ones(4, 1);
  const auto x = ad::constant(values, {1, 2, 2});
  x.set_requires_gradient(true);
  ad::backward(ad::sum(ad::max_pool(x, {2, 2, 0})));
  CHECK(x.gradient()(0, 0) == 1);
  CHECK(x.gradient().sum() == 1);
  values(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(ad::max_pool(ad::constant(values, {1, 2, 2}), {2, 2, 0}).item()));
}
