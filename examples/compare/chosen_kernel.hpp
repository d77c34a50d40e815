#pragma once
// A kernel chosen by name when the program runs: one type, so that each test is compiled once.

#include <dalib/dalib.hpp>

#include <string>

namespace dalib::compare {

/// A kernel of the user's own, to the library; its parts are the library's.
struct chosen_kernel {
  enum class kind { gaussian, laplacian, laplacian_l1, inverse_multiquadric, energy };
  using statistics = type_list<squared_distance, l1_distance>;

  kind type = kind::gaussian;
  double length = 1;

  template <class List, class T>
  multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    const double rate = 1 / length;
    switch (type) {
    case kind::gaussian:
      return dalib::evaluate<List>(kernel::gaussian_profile{rate * rate / 2}, s);
    case kind::laplacian:
      return dalib::evaluate<List>(kernel::laplacian_profile{rate}, s);
    case kind::laplacian_l1:
      return dalib::evaluate<List>(kernel::laplacian_l1{length}, s);
    case kind::inverse_multiquadric:
      return dalib::evaluate<List>(kernel::inverse_multiquadric_profile{rate * rate}, s);
    case kind::energy:
      break;
    }
    return dalib::evaluate<List>(kernel::energy{}, s);
  }
  chosen_kernel with_unit(double unit) const { return {type, length / std::sqrt(unit)}; }

  static constexpr const char* names[] = {"gaussian", "laplacian", "laplacian-l1", "inverse-multiquadric", "energy"};
};

} // namespace dalib::compare
