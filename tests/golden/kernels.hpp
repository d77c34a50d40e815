/// @file
/// Kernels of the library from their description in the manifest.
#pragma once

#include "groups.hpp"

#include <dalib/dalib.hpp>
#include <initializer_list>
#include <string>

namespace golden {

/// Calls visit(kernel) with the Gaussian that `entry` describes.
template <class Visit>
void with_gaussian(const nlohmann::json& entry, Visit&& visit) {
  if (entry.contains("sigma"))
    visit(dalib::kernel::gaussian{dalib::bandwidth::fixed{entry.at("sigma")}});
  else
    visit(dalib::kernel::gaussian{dalib::bandwidth::mean{entry.at("alpha")}});
}

/// Calls visit(kernel) with the kernel that `entry` describes.
template <class Visit>
void with_kernel(const nlohmann::json& entry, Visit&& visit) {
  using dalib::bandwidth::fixed;
  namespace kernel = dalib::kernel;
  const std::string type = entry.at("type");
  if (type == "gaussian") return with_gaussian(entry, visit);
  if (type == "laplacian") return visit(kernel::laplacian{fixed{entry.at("s")}});
  if (type == "linear") return visit(kernel::linear{});
  if (type == "polynomial") return visit(kernel::polynomial{entry.at("gamma"), entry.at("coef0"), entry.at("degree")});
  if (type == "rational_quadratic") return visit(kernel::rational_quadratic{entry.at("a").get<double>(), fixed{entry.at("length_scale")}});
  unknown("kernel", type);
}

/// True if the entries are Gaussians whose alphas double from one to the next, which gaussian_ladder computes with one exponential.
inline bool is_gaussian_ladder(const nlohmann::json& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].at("type") != "gaussian" || !entries[i].contains("alpha")) return false;
    if (i > 0 && entries[i].at("alpha").get<double>() != 2 * entries[i - 1].at("alpha").get<double>()) return false;
  }
  return !entries.empty();
}

/// True if the entries' types are these, in this order.
inline bool has_types(const nlohmann::json& entries, std::initializer_list<const char*> types) {
  if (entries.size() != types.size()) return false;
  std::size_t i = 0;
  for (const char* type : types)
    if (entries[i++].at("type") != type) return false;
  return true;
}

/// The sum of a Gaussian of fixed width and of the four other kinds, as one kernel of the library.
inline auto sum_of_all_kinds(const nlohmann::json& entries) {
  using dalib::bandwidth::fixed;
  namespace kernel = dalib::kernel;
  return kernel::gaussian{fixed{entries[0].at("sigma")}} + kernel::laplacian{fixed{entries[1].at("s")}} + kernel::linear{} +
         kernel::polynomial{entries[3].at("gamma"), entries[3].at("coef0"), entries[3].at("degree")} +
         kernel::rational_quadratic{entries[4].at("a").get<double>(), fixed{entries[4].at("length_scale")}};
}

} // namespace golden
