/// @file
/// One layer of a pairwise problem: its rows and its kernel.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/engine/sample/joint_sample.hpp"
#include "dalib/kernel/bind.hpp"

#include <type_traits>

namespace dalib::engine {

/// What a kernel's statistics ask of the engine.
template <class Profile>
struct reads;
template <class Profile>
requires requires { typename statistics_of<Profile>; }
struct reads<Profile> {
  template <class List>
  struct of;
  template <class... S>
  struct of<type_list<S...>> {
    static constexpr bool gram = (S::from_gram || ...);
    static constexpr bool added = (!S::from_gram || ...);
    static constexpr bool shift = (!S::translation_invariant || ...);
    static constexpr bool distance = (std::is_same_v<S, squared_distance> || ...);
    static constexpr bool as_given = ((!S::from_gram || std::is_same_v<S, cosine_similarity>) || ...);
    static constexpr bool gram_beside_distance = ((S::from_gram && !std::is_same_v<S, squared_distance>) || ...);
  };
  using list = statistics_of<Profile>;
  static constexpr bool gram = of<list>::gram;
  static constexpr bool added = of<list>::added;
  static constexpr bool shift = of<list>::shift;
  static constexpr bool distance = of<list>::distance;
  /// The statistic that adds up over the features, if one is read.
  using additive = typename additive_of<list>::type;
  /// Whether inner products are read besides those that become distances.
  static constexpr bool gram_beside_distance = of<list>::gram_beside_distance;
  /// Whether rows must not be centred: differences of features are lost where rows far from each other are rounded, the cosine of a row
  /// that is short against the mean is.
  static constexpr bool as_given = of<list>::as_given;
  /// Whether the squared distance is all that is read.
  static constexpr bool distance_only = distance && !gram_beside_distance && !added;
};

/// A layer as the engine holds it: MMD has one, JMMD one per feature map.
template <class T, class Profile, class Memory = host_memory>
struct layer {
  using value_type = T;
  using profile_type = Profile;
  using memory = Memory;
  using list = statistics_of<Profile>;

  joint_sample<T, Memory> data;
  const sample_summary<T, Memory>* summary;
  Profile profile;
  matrix_view<T, Memory> source_gradient; ///< no data: not wanted
  matrix_view<T, Memory> target_gradient;
  T gradient_factor = T(1); ///< what gradients of rows in another unit are multiplied by; see row_unit.hpp
  bool as_given = false;    ///< rows are measured from 0 whatever the kernel reads

  /// Where the rows are measured from.
  row_origin<T> origin() const { return reads<Profile>::as_given || as_given ? row_origin<T>{} : summary->origin(); }
};

/// Fills a gradient with zeros; a view without data is left alone.
template <class T>
void clear(const matrix_view<T>& gradient) {
  if (gradient.data == nullptr) return;
  for (index_t i = 0; i < gradient.rows; ++i)
    for (index_t j = 0; j < gradient.cols; ++j) gradient(i, j) = T(0);
}

} // namespace dalib::engine
