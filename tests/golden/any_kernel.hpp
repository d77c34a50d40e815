/// @file
/// A kernel that is described at run time: one type, and so one instantiation of a test, for all cases of a golden group.
#pragma once

#include "groups.hpp"

#include <dalib/dalib.hpp>
#include <dalib/kernel/family.hpp>
#include <span>
#include <string>
#include <vector>

namespace golden {

using dalib::bandwidth::fixed;

/// One kernel of the manifest that is no sum.
using any_part = dalib::kernel::any<dalib::kernel::gaussian<fixed>, dalib::kernel::laplacian<fixed>, dalib::kernel::laplacian_l1,
                                    dalib::kernel::rational_quadratic<fixed>, dalib::kernel::inverse_multiquadric<fixed>,
                                    dalib::kernel::linear, dalib::kernel::polynomial, dalib::kernel::energy>;

inline any_part any_part_of(const nlohmann::json& entry) {
  namespace kernel = dalib::kernel;
  const std::string type = entry.at("type");
  if (type == "gaussian") return kernel::gaussian{fixed{entry.at("sigma")}};
  if (type == "laplacian") return kernel::laplacian{fixed{entry.at("s")}};
  if (type == "laplacian_l1") return kernel::laplacian_l1{entry.at("s")};
  if (type == "rational_quadratic") return kernel::rational_quadratic{entry.at("a").get<double>(), fixed{entry.at("length_scale")}};
  if (type == "inverse_multiquadric") return kernel::inverse_multiquadric{fixed{entry.at("c")}};
  if (type == "linear") return kernel::linear{};
  if (type == "polynomial") return kernel::polynomial{entry.at("gamma"), entry.at("coef0"), entry.at("degree")};
  if (type == "energy") return kernel::energy{};
  unknown("kernel", type);
}

/// A kernel of the manifest, a sum or not.
inline dalib::kernel::family<any_part> any_kernel(const nlohmann::json& entry) {
  std::vector<any_part> parts;
  if (entry.is_array())
    for (const nlohmann::json& term : entry) parts.push_back(any_part_of(term));
  else if (entry.at("type") == "sum")
    for (const nlohmann::json& term : entry.at("terms")) parts.push_back(any_part_of(term));
  else
    parts.push_back(any_part_of(entry));
  return dalib::kernel::family(std::span<const any_part>(parts));
}

} // namespace golden
