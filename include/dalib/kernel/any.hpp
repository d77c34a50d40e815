/// @file
/// A kernel that is chosen when the program runs, from a list that is known when it is compiled.
#pragma once

#include "dalib/kernel/bind.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>

namespace dalib::kernel {

namespace detail {

/// One of several kernels; which of them is known elsewhere.
template <class... K>
union one_of;
template <class K>
union one_of<K> {
  K first;

  one_of() : first() {}
  explicit one_of(const K& k) : first(k) {}

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(int, const T (&s)[List::size]) const {
    return dalib::evaluate<List>(first, s);
  }
  template <class Use>
  auto use(int, const Use& f) const {
    return f(first);
  }
};
template <class K, class... Others>
union one_of<K, Others...> {
  K first;
  one_of<Others...> others;

  one_of() : first() {}
  explicit one_of(const K& k) : first(k) {}
  template <class Other>
  explicit one_of(const Other& k) : others(k) {}

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(int which, const T (&s)[List::size]) const {
    return which == 0 ? dalib::evaluate<List>(first, s) : others.template evaluate<List>(which - 1, s);
  }
  template <class Use>
  auto use(int which, const Use& f) const {
    return which == 0 ? f(first) : others.use(which - 1, f);
  }
};

/// All lists of statistics as one.
template <class List, class... Lists>
struct unite_all {
  using type = List;
};
template <class List, class Next, class... Lists>
struct unite_all<List, Next, Lists...> {
  using type = typename unite_all<unite<List, Next>, Lists...>::type;
};

/// The first of several types, and where a type stands among them.
template <class K, class...>
struct first_of {
  using type = K;
};

} // namespace detail

/// One of the kernels `K`, all of different types, chosen at run time: for a kernel that a configuration names, without compiling what it
/// is used in once for each. It reads the statistics of all of them, so that a squared distance and an l1 distance are made even where one
/// is used; the choice itself costs nothing measurable. Bandwidth rules are resolved for the chosen one. Terms of a sum stay terms only
/// outside: a sum in an `any` is one term. Many of them as a sum: kernel::family. Default: the first, as it makes itself.
///
/// @code{.cpp}
/// using choice = kernel::any<kernel::gaussian<bandwidth::median>, kernel::laplacian_l1, kernel::energy>;
/// const auto from_name = [](const std::string& name) -> choice {
///   if (name == "energy") return kernel::energy{};
///   if (name == "laplacian_l1") return kernel::laplacian_l1{2.0};
///   return kernel::gaussian{bandwidth::median{}};
/// };
/// const Eigen::MatrixXd zs = Eigen::MatrixXd::Random(16, 4), zt = Eigen::MatrixXd::Random(12, 4);
/// for (const std::string name : {"gaussian", "energy"}) assert(mmd(from_name(name), estimator::biased{})(zs, zt) > 0);
/// assert(std::abs(mmd(from_name("energy"))(zs, zt) - mmd(kernel::energy{})(zs, zt)) < 1e-13);
/// assert(from_name("energy").holds<kernel::energy>() && !choice{}.holds<kernel::energy>());
/// @endcode
template <class... K>
struct any {
  static_assert(sizeof...(K) > 0 && (kernel_like<K> && ...), "dalib: kernel::any is one of kernels: kernel::any<kernel::gaussian<>, ...>");
  static_assert((std::is_trivially_copyable_v<K> && ...) && std::is_default_constructible_v<typename detail::first_of<K...>::type>,
                "dalib: kernels in a kernel::any are trivially copyable, and the first can be made without arguments");
  using statistics = typename detail::unite_all<statistics_of<K>...>::type;

  any() = default;
  /// Chooses `k`, a kernel of the list.
  template <class Kernel>
  requires(std::is_same_v<Kernel, K> || ...) any(const Kernel& k) : which_(place<Kernel>()), kernel_(k) {}

  /// Whether a kernel of this type is chosen.
  template <class Kernel>
  bool holds() const {
    static_assert((std::is_same_v<Kernel, K> || ...), "dalib: this kernel is not in the list of the kernel::any");
    return which_ == place<Kernel>();
  }

  template <class List, class T>
  DALIB_HD multi_jet<T, List::size> evaluate(const T (&s)[List::size]) const {
    return kernel_.template evaluate<List>(which_, s);
  }
  template <class Data>
  auto bind(const Data& data) const {
    using bound = any<bound_kernel<K, Data>...>;
    return kernel_.use(which_, [&](const auto& k) { return bound(dalib::bind(k, data)); });
  }
  any with_unit(double unit) const requires(takes_unit<K>&&...) {
    return kernel_.use(which_, [&](const auto& k) { return any(k.with_unit(unit)); });
  }

private:
  template <class Kernel>
  static constexpr int place() {
    int result = -1, at = 0; // the first: bound kernels of different rules may be of one type
    ((result = result < 0 && std::is_same_v<Kernel, K> ? at : result, ++at), ...);
    return result;
  }

  int which_ = 0;
  detail::one_of<K...> kernel_{};
};

} // namespace dalib::kernel
