/// @file
/// Kernels of the inner product, of the cosine and of the l1 distance.
#pragma once

#include "dalib/bandwidth/bandwidths.hpp"
#include "dalib/kernel/bind.hpp"

#include <cmath>

namespace dalib::kernel {

/// k(x, y) = x . y: the MMD is then the squared distance of the means.
struct linear {
  using statistic = inner_product;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return {s, T(1)};
  }
};

/// k(x, y) = (gamma x . y + coef0)^degree, degree >= 1.
struct polynomial {
  using statistic = inner_product;
  double gamma = 1;
  double coef0 = 1;
  int degree = 2;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    const T base = T(gamma) * s + T(coef0);
    T lower = T(1);
    for (int i = 1; i < degree; ++i) lower = lower * base;
    return {lower * base, T(gamma * degree) * lower};
  }
};

/// k(x, y) = x . y / (|x| |y|), 0 if either row is zero.
struct cosine {
  using statistic = cosine_similarity;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    return {s, T(1)};
  }
};

/// k(x, y) = exp(-|x - y|_1 / scale), scale > 0.
struct laplacian_l1 {
  using statistic = l1_distance;
  double scale = 1;

  template <class T>
  DALIB_HD jet<T> operator()(const T& s) const {
    using std::exp;
    const double rate = 1 / scale;
    const T value = exp(T(-rate) * s);
    return {value, T(-rate) * value};
  }
};

} // namespace dalib::kernel
