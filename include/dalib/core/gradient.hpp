/// @file
/// Where a function of one tensor writes its gradient.
#pragma once

#include "dalib/core/gradients.hpp"

#include <type_traits>

namespace dalib {

/// The caller's memory for the gradient of one tensor: `gradient{g}`, `gradient{g, scale, mode}`. See `gradients` for two.
///
/// @param target  a writable tensor of the input's shape; a default-made view means "not wanted".
/// @param scale  the upstream gradient; it does not change the value.
///
/// @code{.cpp}
/// const Eigen::MatrixXd logits = Eigen::MatrixXd::Random(8, 3);
/// Eigen::MatrixXd g(8, 3), whole(8, 3);
/// class_balance{}.value_and_gradient(logits, gradient{g, 0.25});
/// class_balance{}.value_and_gradient(logits, gradient{g, 0.75, write_mode::accumulate});
/// class_balance{}.value_and_gradient(logits, gradient{whole});
/// assert((g - whole).norm() < 1e-15 && whole.norm() > 0);
/// @endcode
template <class T, class Memory = host_memory>
struct gradient {
  matrix_view<T, Memory> target;
  T scale = T(1);
  write_mode mode = write_mode::overwrite;

  gradient() = default;
  explicit gradient(matrix_view<T, Memory> to, std::type_identity_t<T> upstream = T(1), write_mode how = write_mode::overwrite)
      : target(to), scale(upstream), mode(how) {}

  template <matrix_like G>
  requires(!std::is_same_v<std::remove_cvref_t<G>, matrix_view<T, Memory>>) explicit gradient(G&& to,
                                                                                              std::type_identity_t<T> upstream = T(1),
                                                                                              write_mode how = write_mode::overwrite)
      : target(detail::writable_view<T, Memory, G>(to)), scale(upstream), mode(how) {}
};

template <class G>
gradient(G&&) -> gradient<value_type_of<G>, memory_of<G>>;
template <class G, class S>
gradient(G&&, S) -> gradient<value_type_of<G>, memory_of<G>>;
template <class G, class S>
gradient(G&&, S, write_mode) -> gradient<value_type_of<G>, memory_of<G>>;

} // namespace dalib
