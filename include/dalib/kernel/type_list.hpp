/// @file
/// Lists of types without duplicates: the pair statistics that a kernel reads.
#pragma once

#include <cstddef>
#include <type_traits>

namespace dalib {

/// @internal
/// Types, each once.
template <class... Ts>
struct type_list {
  static constexpr std::size_t size = sizeof...(Ts);
};

namespace detail {

template <class List, class T>
inline constexpr bool contains = false;
template <class... Ts, class T>
inline constexpr bool contains<type_list<Ts...>, T> = (std::is_same_v<Ts, T> || ...);

template <class List, class T>
struct append;
template <class... Ts, class T>
struct append<type_list<Ts...>, T> {
  using type = std::conditional_t<contains<type_list<Ts...>, T>, type_list<Ts...>, type_list<Ts..., T>>;
};

template <class A, class B>
struct unite;
template <class A>
struct unite<A, type_list<>> {
  using type = A;
};
template <class A, class Head, class... Tail>
struct unite<A, type_list<Head, Tail...>> {
  using type = typename unite<typename append<A, Head>::type, type_list<Tail...>>::type;
};

template <class List, class T>
struct position_of;
template <class T, class... Tail>
struct position_of<type_list<T, Tail...>, T> {
  static constexpr std::size_t value = 0;
};
template <class Head, class... Tail, class T>
struct position_of<type_list<Head, Tail...>, T> {
  static constexpr std::size_t value = 1 + position_of<type_list<Tail...>, T>::value;
};

} // namespace detail

/// Both lists as one, each type once.
template <class A, class B>
using unite = typename detail::unite<A, B>::type;

/// @internal
/// The statistic of a list that adds up over the features; void if there is none.
template <class List>
struct additive_of {
  using type = void;
};
template <class S, class... Others>
struct additive_of<type_list<S, Others...>> {
  using others = typename additive_of<type_list<Others...>>::type;
  static_assert(S::from_gram || std::is_void_v<others>,
                "dalib: a kernel can read one statistic that adds up over the features (l1_distance ...), and any number of the others");
  using type = std::conditional_t<S::from_gram, others, S>;
};

/// Where `T` stands in `List`.
template <class List, class T>
inline constexpr std::size_t position_of = detail::position_of<List, T>::value;

} // namespace dalib
