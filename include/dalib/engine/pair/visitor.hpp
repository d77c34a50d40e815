/// @file
/// What is done with an evaluated pair: visitors of the pair loop.
///
/// The loop finds the statistics and kernels of all pairs and knows no outputs. A visitor is an empty or trivially copyable struct that
/// says what becomes of a pair, on every machine: its `visit(pair, sums)` gets a register of pairs on the CPU and one pair on a device.
/// Everything is inlined, so that a pair's numbers never leave the registers.
#pragma once

#include "dalib/engine/backend.hpp"
#include "dalib/engine/pair/pulls.hpp"
#include "dalib/kernel/terms.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>

namespace dalib::engine {

/// How many numbers a visitor adds up over all pairs (its `numbers`; 0 without).
template <class Visitor>
inline constexpr int visitor_numbers = 0;
template <class Visitor>
requires requires { Visitor::numbers; }
inline constexpr int visitor_numbers<Visitor> = Visitor::numbers;

/// How many of them it uses, where that is known at run time only (its `used`).
template <class Visitor>
DALIB_HD int used_numbers(const Visitor& visitor) {
  if constexpr (requires { visitor.used; })
    return visitor.used;
  else
    return visitor_numbers<Visitor>;
}

/// Whether it pulls rows by the kernels' slopes (its `pulls`; not without).
template <class Visitor>
inline constexpr bool visitor_pulls = false;
template <class Visitor>
requires requires { Visitor::pulls; }
inline constexpr bool visitor_pulls<Visitor> = Visitor::pulls;

/// `Count` numbers, as a visitor adds them up; std::array's functions are the host's alone.
template <int Count>
struct number_row {
  static constexpr int size = Count;
  double values[Count];

  DALIB_HD double& operator[](int i) { return values[i]; }
  DALIB_HD const double& operator[](int i) const { return values[i]; }
};
template <class Visitor>
using visited_numbers = number_row<(visitor_numbers<Visitor> > 0 ? visitor_numbers<Visitor> : 1)>;

/// Sums of a visitor's numbers, of one tile after another.
template <class Accumulator, class Numbers>
struct accumulated {
  typename Accumulator::state states[Numbers::size]{};

  DALIB_HD void add(const Numbers& numbers) {
    for (int i = 0; i < Numbers::size; ++i) Accumulator::add(states[i], numbers[i]);
  }
  DALIB_HD void merge(const accumulated& other) {
    for (int i = 0; i < Numbers::size; ++i) Accumulator::merge(states[i], other.states[i]);
  }
  DALIB_HD Numbers result() const {
    Numbers numbers{};
    for (int i = 0; i < Numbers::size; ++i) numbers[i] = Accumulator::result(states[i]);
    return numbers;
  }
};

namespace detail {
/// Stands for a pair where a visitor is looked at.
struct pair_probe {
  using number = float;
  float coefficient = 1;
  float value() const { return 1; }
  float share() const { return 1; }
  float counted(float x) const { return x; }
  void pull() const {}
  void keep(int, float) const {}
  template <std::size_t>
  float kernel() const {
    return 1;
  }
  template <std::size_t>
  float slope() const {
    return 1;
  }
  template <std::size_t, class Use>
  void each_term(const Use& use) const {
    use(0, 1.0f);
  }
};
} // namespace detail

/// A visitor: trivially copyable, with `visit(pair, sums)`, where `sums` points to `numbers` sums of type `Pair::number` (a pack or a
/// number), which are added over the lanes in double afterwards. A pair offers
/// - `coefficient`: its weight c(x, y); 0 for what does not count
/// - `value()`: prod_l k_l, and `kernel<L>()`: the kernel of layer L
/// - `slope<L>()`: the derivative of layer L's kernel with respect to its statistic, the first if it reads several
/// - `each_term<L>(use)`: `use(k, value)` for each term k of layer L's kernel, as kernel::for_each_term numbers them
/// - `counted(v)`: what a sum gains by v: 0, whatever v is, where the coefficient is 0; twice v where the pair stands for both its orders
/// - `share()`: counted(coefficient * value())
/// - `pull()`: rows receive what the slopes of coefficient * value() do to them; only with `pulls`
/// - `keep(which, v)`: v is written at the pair's place in tile `which` of those that the caller of the loop has given
template <class V>
concept pair_visitor = std::is_trivially_copyable_v<V> && requires(const V& visitor, const detail::pair_probe& pair, float* sums) {
  visitor.visit(pair, sums);
};

/// sum c prod_l k_l.
struct value_visitor {
  static constexpr int numbers = 1;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    sums[0] += pair.share();
  }
};

/// The same, and its gradient.
struct value_and_gradient_visitor {
  static constexpr int numbers = 1;
  static constexpr bool pulls = true;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    sums[0] += pair.share();
    pair.pull();
  }
};

template <bool Gradient>
using sum_visitor = std::conditional_t<Gradient, value_and_gradient_visitor, value_visitor>;

/// sum c k_t for each of at most `Most` terms t of the first layer's kernel, in one pass.
template <int Most>
struct term_visitor {
  static constexpr int numbers = Most;
  int used = Most; ///< terms that there are
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    using number = typename Pair::number;
    pair.template each_term<0>([&](int k, const number& value) { sums[k] += pair.counted(pair.coefficient * value); });
  }
};

/// sum c k_l for the kernel of each of `Layers` layers alone, in one pass.
template <std::size_t Layers>
struct layer_visitor {
  static constexpr int numbers = static_cast<int>(Layers);
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number* sums) const {
    add(pair, sums, std::make_index_sequence<Layers>{});
  }

private:
  template <class Pair, std::size_t... L>
  DALIB_HD static void add(const Pair& pair, typename Pair::number* sums, std::index_sequence<L...>) {
    ((sums[L] += pair.counted(pair.coefficient * pair.template kernel<L>())), ...);
  }
};

/// Keeps prod_l k_l of every pair that counts, and 0 of others.
struct matrix_visitor {
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number*) const {
    pair.keep(0, where_nonzero(pair.coefficient, pair.value()));
  }
};

/// The same of one layer, and in a second tile the kernel's slope, times `factor`.
struct slope_matrix_visitor {
  double factor = 1;
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number*) const {
    using number = typename Pair::number;
    pair.keep(0, where_nonzero(pair.coefficient, pair.value()));
    pair.keep(1, where_nonzero(pair.coefficient, number(factor) * pair.template slope<0>()));
  }
};

/// The same of each term of the first layer's kernel, in a tile of its own.
struct term_matrix_visitor {
  template <class Pair>
  DALIB_HD void visit(const Pair& pair, typename Pair::number*) const {
    using number = typename Pair::number;
    pair.template each_term<0>([&](int k, const number& value) { pair.keep(k, where_nonzero(pair.coefficient, value)); });
  }
};

} // namespace dalib::engine
