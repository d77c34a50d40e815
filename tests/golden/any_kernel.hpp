/// @file
/// A kernel that is described at run time: one type, and so one instantiation of a test, for all cases of a golden group. It is a user's
/// kernel to the library, made of the library's own.
#pragma once

#include "groups.hpp"

#include <dalib/dalib.hpp>
#include <dalib/kernel/family.hpp>
#include <span>
#include <string>
#include <vector>

namespace golden {

/// One kernel of the manifest that is no sum.
struct any_part {
  enum class kind { gaussian, laplacian, laplacian_l1, rational_quadratic, inverse_multiquadric, linear, polynomial, energy };
  kind type = kind::gaussian;
  double length = 1; ///< bandwidth
  double a = 1, coef0 = 0, gamma = 1;
  int degree = 1;

  using statistics = dalib::type_list<dalib::squared_distance, dalib::l1_distance, dalib::inner_product>;

  template <class List, class T>
  dalib::multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    namespace kernel = dalib::kernel;
    const double rate = 1 / length;
    switch (type) {
    case kind::gaussian:
      return dalib::evaluate<List>(kernel::gaussian_profile{rate * rate / 2}, s);
    case kind::laplacian:
      return dalib::evaluate<List>(kernel::laplacian_profile{rate}, s);
    case kind::laplacian_l1:
      return dalib::evaluate<List>(kernel::laplacian_l1{length}, s);
    case kind::rational_quadratic:
      return dalib::evaluate<List>(kernel::rational_quadratic_profile{rate * rate / (2 * a), a}, s);
    case kind::inverse_multiquadric:
      return dalib::evaluate<List>(kernel::inverse_multiquadric_profile{rate * rate}, s);
    case kind::linear:
      return dalib::evaluate<List>(kernel::linear{}, s);
    case kind::polynomial:
      return dalib::evaluate<List>(kernel::polynomial{gamma, coef0, degree}, s);
    case kind::energy:
      break;
    }
    return dalib::evaluate<List>(kernel::energy{}, s);
  }

  static any_part of(const nlohmann::json& entry) {
    const std::string type = entry.at("type");
    if (type == "gaussian") return {kind::gaussian, entry.at("sigma")};
    if (type == "laplacian") return {kind::laplacian, entry.at("s")};
    if (type == "laplacian_l1") return {kind::laplacian_l1, entry.at("s")};
    if (type == "rational_quadratic") return {kind::rational_quadratic, entry.at("length_scale"), entry.at("a")};
    if (type == "inverse_multiquadric") return {kind::inverse_multiquadric, entry.at("c")};
    if (type == "linear") return {kind::linear};
    if (type == "polynomial") return {kind::polynomial, 1, 1, entry.at("coef0"), entry.at("gamma"), entry.at("degree")};
    if (type == "energy") return {kind::energy};
    unknown("kernel", type);
  }
};

/// A kernel of the manifest, a sum or not.
inline dalib::kernel::family<any_part> any_kernel(const nlohmann::json& entry) {
  std::vector<any_part> parts;
  if (entry.is_array())
    for (const nlohmann::json& term : entry) parts.push_back(any_part::of(term));
  else if (entry.at("type") == "sum")
    for (const nlohmann::json& term : entry.at("terms")) parts.push_back(any_part::of(term));
  else
    parts.push_back(any_part::of(entry));
  return dalib::kernel::family(std::span<const any_part>(parts));
}

} // namespace golden
